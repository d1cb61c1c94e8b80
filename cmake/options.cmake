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
    -Wdeprecated-copy-dtor -Wunused-const-variable=2>)

# A fifth of the program is of libraries' headers and never called: without it less is resident.
add_compile_options(-ffunction-sections -fdata-sections)
add_link_options(-Wl,--gc-sections)

if(WNA_SANITIZE)
    add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_link_options(-fsanitize=address,undefined)
    # clang 14 cannot put the function check's prologue before a coroutine.
    add_compile_options($<$<CXX_COMPILER_ID:Clang>:-fno-sanitize=function>)
else()
    add_compile_options($<$<CONFIG:RelWithDebInfo>:-D_FORTIFY_SOURCE=2> -fstack-protector-strong)
    add_link_options(-Wl,-z,relro,-z,now)
endif()
if(WNA_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(WNA_STATIC)
    set(CMAKE_FIND_LIBRARY_SUFFIXES .a)
    set(BUILD_SHARED_LIBS OFF)
    add_link_options(-static)
else()
    set(CMAKE_POSITION_INDEPENDENT_CODE ON)
    add_link_options($<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:-pie>)
endif()

find_program(CCACHE ccache)
if(CCACHE)
    set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()
