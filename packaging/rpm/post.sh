# Whether it is enabled is the distribution's and the administrator's to say (presets); it is never started here.
if [ $1 -eq 1 ] && [ -x /usr/bin/systemctl ]; then
    systemctl --no-reload preset wcs-node-agent.service >/dev/null 2>&1 || :
fi
