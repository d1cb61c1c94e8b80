# The compiler by its version, the first of the names in tools/lib/packages, whatever c++ is on this machine;
# CMAKE_CXX_COMPILER, CXX and a toolchain file go before it. Without it: the distribution's own.
if(NOT CMAKE_CXX_COMPILER AND NOT DEFINED ENV{CXX} AND NOT CMAKE_TOOLCHAIN_FILE)
    find_program(CMAKE_CXX_COMPILER NAMES g++-12 c++)
    if(NOT CMAKE_C_COMPILER AND NOT DEFINED ENV{CC})
        find_program(CMAKE_C_COMPILER NAMES gcc-12 cc)
    endif()
endif()
