# What the operator said; the first is a link to the second, as the service has a user of its own.
if [ $1 -eq 0 ]; then
    rm -rf /var/lib/wcs-node-agent /var/lib/private/wcs-node-agent
fi
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload >/dev/null 2>&1 || :
    # After an upgrade, if it runs: what is pinned counts on until the new program takes it over.
    if [ $1 -ge 1 ]; then
        systemctl try-restart wcs-node-agent.service >/dev/null 2>&1 || :
    fi
fi
