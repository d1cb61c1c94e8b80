add_custom_target(skeletons)

# wna_bpf_skeletons(TARGET SOURCE...): each NAME.bpf.c becomes an object for the BPF machine and a skeleton
# header NAME.skel.h that embeds it; TARGET is an interface library through which they are used. Nothing is
# read from the build host's kernel: the few kernel fields used are in bpf/kernel_types.h.
function(wna_bpf_skeletons target)
    file(GLOB headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/bpf/*.h)
    set(skeletons)
    foreach(file ${ARGN})
        set(source ${CMAKE_CURRENT_SOURCE_DIR}/${file})
        get_filename_component(name ${file} NAME_WE)
        set(object ${CMAKE_CURRENT_BINARY_DIR}/${name}.bpf.o)
        set(skeleton ${CMAKE_CURRENT_BINARY_DIR}/${name}.skel.h)
        add_custom_command(OUTPUT ${object}
            COMMAND ${CLANG} -target bpf -mcpu=v3 -O2 -g -std=gnu11 -Wall -Wextra -Wno-unused-parameter -Werror
                    -I${PROJECT_SOURCE_DIR}/bpf -idirafter ${CMAKE_SYSROOT}/usr/include/${CMAKE_LIBRARY_ARCHITECTURE}
                    -ffile-prefix-map=${PROJECT_SOURCE_DIR}/= -c ${source} -o ${object}
            DEPENDS ${source} ${headers} VERBATIM)
        add_custom_command(OUTPUT ${skeleton}
            COMMAND ${BPFTOOL} gen skeleton ${object} name ${name}_bpf > ${skeleton}
            DEPENDS ${object} VERBATIM)
        list(APPEND skeletons ${skeleton})
    endforeach()
    add_custom_target(${target}_skeletons DEPENDS ${skeletons})
    add_library(${target} INTERFACE)
    add_dependencies(${target} ${target}_skeletons)
    target_include_directories(${target} SYSTEM INTERFACE ${CMAKE_CURRENT_BINARY_DIR})
    target_link_libraries(${target} INTERFACE PkgConfig::LIBBPF)
    # The skeletons are C; gcc's stdbool.h defines this for C++ too.
    target_compile_definitions(${target} INTERFACE $<$<COMPILE_LANG_AND_ID:CXX,Clang>:_Bool=bool>)
    add_dependencies(skeletons ${target}_skeletons)
endfunction()
