# Every library the project uses, all from the distribution; docs/architecture.md says why each is here.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
if(BUILD_TESTING)
    find_package(GTest REQUIRED)
endif()
pkg_check_modules(LIBBPF REQUIRED IMPORTED_TARGET libbpf)
pkg_check_modules(LIBNL REQUIRED IMPORTED_TARGET libnl-3.0)
pkg_check_modules(LIBCAPNG REQUIRED IMPORTED_TARGET libcap-ng)
pkg_check_modules(OPENSSL REQUIRED IMPORTED_TARGET openssl)
pkg_check_modules(LIBCRYPT REQUIRED IMPORTED_TARGET libcrypt)
pkg_check_modules(NCURSESW REQUIRED ncursesw)
pkg_check_modules(YAML_CPP REQUIRED IMPORTED_TARGET yaml-cpp)

# What is linked with archives, the release with those of C++ alone, the static binary with all: docs/architecture.md.
add_library(wna_log_archive STATIC EXCLUDE_FROM_ALL ${PROJECT_SOURCE_DIR}/cmake/static/log.cpp)
target_compile_features(wna_log_archive PRIVATE cxx_std_20)
target_compile_definitions(wna_log_archive PRIVATE SPDLOG_COMPILED_LIB SPDLOG_FMT_EXTERNAL)

add_library(wna_log INTERFACE)
if(CMAKE_BUILD_TYPE STREQUAL RelWithDebInfo AND NOT WNA_SANITIZE)
    foreach(library spdlog::spdlog fmt::fmt)  # so that the objects are the same
        target_compile_definitions(wna_log INTERFACE $<TARGET_PROPERTY:${library},INTERFACE_COMPILE_DEFINITIONS>)
    endforeach()
    target_link_libraries(wna_log INTERFACE wna_log_archive Threads::Threads)
    get_target_property(yaml_cpp PkgConfig::YAML_CPP INTERFACE_LINK_LIBRARIES)
    string(REPLACE ".so" ".a" yaml_cpp "${yaml_cpp}")
    set_target_properties(PkgConfig::YAML_CPP PROPERTIES INTERFACE_LINK_LIBRARIES "${yaml_cpp}")
    add_link_options($<$<LINK_LANGUAGE:CXX>:-static-libstdc++> -static-libgcc)
else()
    target_link_libraries(wna_log INTERFACE spdlog::spdlog fmt::fmt)
endif()

# The names of tools/lib/packages: what is newer may compile the BPF programs otherwise, and what a user has
# beside the distribution's is not asked. bpftool is where no user's PATH need lead.
find_program(CLANG NAMES clang-14 clang REQUIRED)
find_program(BPFTOOL NAMES bpftool PATHS /usr/sbin /sbin REQUIRED)

# Asio, Beast and URL are compiled once, here, rather than in every file that includes them.
add_library(wna_asio STATIC ${PROJECT_SOURCE_DIR}/cmake/asio.cpp)
target_compile_features(wna_asio PUBLIC cxx_std_20)
target_compile_definitions(wna_asio PUBLIC
    BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED
    BOOST_URL_NO_LIB BOOST_URL_STATIC_LINK)
target_link_libraries(wna_asio PUBLIC Boost::headers Threads::Threads)

# Asio's TLS likewise, apart, as not every room needs OpenSSL.
add_library(wna_asio_ssl STATIC ${PROJECT_SOURCE_DIR}/cmake/asio_ssl.cpp)
target_link_libraries(wna_asio_ssl PUBLIC wna_asio PkgConfig::OPENSSL)
