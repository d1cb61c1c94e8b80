# wna_precompile(TARGET...): with WNA_PRECOMPILE they are compiled with cmake/precompiled.hpp.
if(WNA_PRECOMPILE)
    file(WRITE ${PROJECT_BINARY_DIR}/precompiled.cpp "")
    add_library(wna_precompiled OBJECT ${PROJECT_BINARY_DIR}/precompiled.cpp)
    set_target_properties(wna_precompiled PROPERTIES UNITY_BUILD OFF)
    target_link_libraries(wna_precompiled PRIVATE wna_options wna_asio wna_log nlohmann_json::nlohmann_json
                                                  GTest::gmock GTest::gtest)
    target_precompile_headers(wna_precompiled PRIVATE ${PROJECT_SOURCE_DIR}/cmake/precompiled.hpp)
    # ccache compares the header, not when it was made.
    target_compile_options(wna_precompiled PRIVATE "SHELL:-Xclang -fno-pch-timestamp")
endif()

function(wna_precompile)
    if(WNA_PRECOMPILE)
        foreach(target ${ARGN})
            target_precompile_headers(${target} REUSE_FROM wna_precompiled)
            target_compile_definitions(${target} PRIVATE $<TARGET_PROPERTY:wna_precompiled,COMPILE_DEFINITIONS>)
            target_link_libraries(${target} PRIVATE wna_asio)  # Asio's static objects
        endforeach()
    endif()
endfunction()
