# What tools/package makes by CPack. WNA_PACKAGE_PROGRAM, program or static, is given to cpack; what depends on it and
# on the kind of package is in package_kind.cmake.

# As Debian's policy wants them: compressed, without a date.
set(compressed)
function(wna_compress source name)
    set(output ${CMAKE_CURRENT_BINARY_DIR}/compressed/${name}.gz)
    add_custom_command(OUTPUT ${output} COMMAND gzip -9nc ${source} > ${output} DEPENDS ${source} VERBATIM)
    set(compressed ${compressed} ${output} PARENT_SCOPE)
endfunction()
file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/compressed)
wna_compress(${CMAKE_CURRENT_SOURCE_DIR}/man/wcs-node-agent.8 wcs-node-agent.8)
wna_compress(${CMAKE_CURRENT_SOURCE_DIR}/debian/changelog changelog.Debian)
wna_compress(${PROJECT_SOURCE_DIR}/CHANGELOG.md changelog)
add_custom_target(package-files DEPENDS ${compressed})

function(wna_package_files component destination)
    install(FILES ${ARGN} DESTINATION ${destination} COMPONENT ${component} EXCLUDE_FROM_ALL)
endfunction()
list(TRANSFORM compressed REPLACE ".*/" "" OUTPUT_VARIABLE names)
set(folder ${CMAKE_CURRENT_BINARY_DIR}/compressed)
foreach(kind deb rpm)
    wna_package_files(${kind} ${CMAKE_INSTALL_MANDIR}/man8 ${folder}/wcs-node-agent.8.gz)
endforeach()
wna_package_files(deb ${CMAKE_INSTALL_DOCDIR} ${folder}/changelog.Debian.gz ${folder}/changelog.gz debian/copyright)
wna_package_files(deb share/zsh/vendor-completions completion/_wcs-node-agent)
wna_package_files(rpm ${WNA_ZSH_FUNCTIONS} completion/_wcs-node-agent)
wna_package_files(rpm ${CMAKE_INSTALL_DOCDIR} ${PROJECT_SOURCE_DIR}/CHANGELOG.md)
wna_package_files(rpm share/licenses/wcs-node-agent ${PROJECT_SOURCE_DIR}/LICENSE)

foreach(program program static)
    install(FILES debian/lintian-overrides.${program} DESTINATION share/lintian/overrides RENAME wcs-node-agent
            COMPONENT deb-${program} EXCLUDE_FROM_ALL)
endforeach()

set(CPACK_PACKAGE_NAME wcs-node-agent)
set(CPACK_PACKAGE_VENDOR "wcs-node-agent")
set(CPACK_PACKAGE_CONTACT "wcs-node-agent maintainers <maintainers@wcs-node-agent.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "HAProxy agent checks and metrics for a Web Call Server node")
set(CPACK_PACKAGE_DESCRIPTION
"Counts the traffic and the CPU time of one Web Call Server node in the kernel,
with eBPF, adds what the server says of its publishers, subscribers and HLS
streams, and answers the agent check of HAProxy with how much new work the
node should get. Prometheus reads the figures behind each answer.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_PROJECT_CONFIG_FILE ${CMAKE_CURRENT_SOURCE_DIR}/package_kind.cmake)
set(CPACK_TARGET_PROCESSOR ${CMAKE_SYSTEM_PROCESSOR})
include(CPack)
