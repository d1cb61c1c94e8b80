# cmake -DOUTPUT=FILE -DFILES=FILE;... -DDYGRAPHS=FILE -P embed.cmake: the source of src/http/page_assets.hpp. Each file is
# there as it is and compressed, index.html as `/`, the others below `/page/`. Without dygraphs its place is empty.

get_filename_component(folder "${OUTPUT}" ABSOLUTE)
get_filename_component(folder "${folder}" DIRECTORY)
set(type_html "text/html; charset=utf-8")
set(type_css "text/css; charset=utf-8")
set(type_js "text/javascript; charset=utf-8")
set(type_svg "image/svg+xml")
set(arrays "")
set(rows "")

function(bytes_of file variable)
    file(READ "${file}" hex HEX)
    string(REGEX REPLACE "(..)" "'\\\\x\\1'," bytes "${hex}")
    set(${variable} "${bytes}" PARENT_SCOPE)
endfunction()

function(embed path suffix file)
    set(text "// There are no plots without dygraphs.\n")
    if(EXISTS "${file}")
        file(READ "${file}" text)
    endif()
    # A browser's tools would ask for the map, which is not there.
    string(REGEX REPLACE "\n//# sourceMappingURL=[^\n]*" "" text "${text}")
    file(WRITE "${folder}/asset" "${text}")
    execute_process(COMMAND gzip -9n INPUT_FILE "${folder}/asset" OUTPUT_FILE "${folder}/asset.gz" COMMAND_ERROR_IS_FATAL ANY)
    file(SHA256 "${folder}/asset" hash)
    string(SUBSTRING "${hash}" 0 16 hash)
    bytes_of("${folder}/asset" body)
    bytes_of("${folder}/asset.gz" gzip)
    string(MAKE_C_IDENTIFIER "${path}" name)
    string(APPEND arrays "constexpr char body${name}[] = {${body}};\nconstexpr char gzip${name}[] = {${gzip}};\n")
    string(APPEND rows "    {\"${path}\", \"${type_${suffix}}\", \"${hash}\", view(body${name}), view(gzip${name})},\n")
    set(arrays "${arrays}" PARENT_SCOPE)
    set(rows "${rows}" PARENT_SCOPE)
endfunction()

foreach(file IN LISTS FILES)
    get_filename_component(name "${file}" NAME)
    get_filename_component(suffix "${file}" LAST_EXT)
    string(SUBSTRING "${suffix}" 1 -1 suffix)
    if(name STREQUAL "index.html")
        embed("/" html "${file}")
    else()
        embed("/page/${name}" ${suffix} "${file}")
    endif()
endforeach()
embed("/page/dygraphs.js" js "${DYGRAPHS}")

file(WRITE "${OUTPUT}" "#include \"http/page_assets.hpp\"

#include <cstddef>

namespace wcs_node_agent {

namespace {

template <std::size_t size>
constexpr std::string_view view(const char (&bytes)[size]) {
    return {bytes, size};
}

${arrays}
constexpr PageAsset assets[] = {
${rows}};

}  // namespace

std::span<const PageAsset> page_assets() { return assets; }

}  // namespace wcs_node_agent
")
