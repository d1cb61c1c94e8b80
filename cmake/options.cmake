# Language level, warnings and sanitizers for the project's own code: link wna_options.
add_library(wna_options INTERFACE)
target_compile_features(wna_options INTERFACE cxx_std_20)
configure_file(${PROJECT_SOURCE_DIR}/include/wcs_node_agent/version.hpp.in
               ${PROJECT_BINARY_DIR}/include/wcs_node_agent/version.hpp @ONLY)
set(CMAKE_CXX_EXTENSIONS OFF)
target_include_directories(wna_options INTERFACE ${PROJECT_SOURCE_DIR}/include ${PROJECT_BINARY_DIR}/include)

target_compile_options(wna_options INTERFACE
    $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic -Werror -Wshadow -Wconversion -Wsign-conversion
    -Wold-style-cast -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-align -Wformat=2 -Wundef
    -Wdouble-promotion -Wextra-semi -Wmissing-declarations -Wredundant-decls
    -Wvla -Wunused-macros -Wdate-time -Wpointer-arith>
    $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wcast-qual -Wduplicated-cond -Wduplicated-branches -Wlogical-op
    -Wuseless-cast -Wformat-signedness -Wsuggest-override -Wmismatched-tags -Wredundant-tags
    -Wdeprecated-copy-dtor -Wunused-const-variable=2>
    # The kernel's enums combine with the C library's; libstdc++'s stable_sort calls what it deprecates.
    $<$<COMPILE_LANG_AND_ID:CXX,Clang>:-Wreserved-identifier -Wno-deprecated-anon-enum-enum-conversion
    -Wno-deprecated-declarations>
    # Names of one source's own are no concern of those that are compiled with it.
    $<$<BOOL:$<TARGET_PROPERTY:UNITY_BUILD>>:-Wno-shadow $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>>)

# Functions and lines, which a backtrace needs; variables would be a sixth of the time of compilation.
add_compile_options($<$<CONFIG:RelWithDebInfo>:-g1>)

# A fifth of the program is of libraries' headers and never called: without it less is resident.
add_compile_options(-ffunction-sections -fdata-sections)
add_link_options(-Wl,--gc-sections)

if(WNA_SANITIZE)
    add_compile_options(-fsanitize=${WNA_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${WNA_SANITIZE})
else()
    add_compile_options($<$<CONFIG:RelWithDebInfo>:-D_FORTIFY_SOURCE=2> -fstack-protector-strong)
    add_link_options(-Wl,-z,relro,-z,now)
endif()
if(WNA_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()
# The same for libraries and programs, so that they share a precompiled header.
add_compile_options($<IF:$<STREQUAL:$<TARGET_PROPERTY:TYPE>,SHARED_LIBRARY>,-fPIC,-fPIE>)
add_link_options($<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:-pie>)

find_program(CCACHE ccache)
if(CCACHE)
    # Hits in a clone elsewhere too, and with a precompiled header.
    add_compile_options(-ffile-prefix-map=${PROJECT_SOURCE_DIR}/=)
    set(launcher ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}
                 CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE})
    set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
    set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
endif()
