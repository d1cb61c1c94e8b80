# Not at an upgrade, which is 1.
if [ $1 -eq 0 ]; then
    if [ -x /usr/bin/systemctl ]; then
        systemctl --no-reload disable --now wcs-node-agent.socket wcs-node-agent-metrics.socket \
            wcs-node-agent.service >/dev/null 2>&1 || :
    fi
    # What counts on in the kernel would outlive the program that can end it.
    /usr/sbin/wcs-node-agent unpin || :
    rm -rf /sys/fs/bpf/wcs-node-agent
fi
