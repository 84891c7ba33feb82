#!/bin/sh
# A replica is reached at its own address, which no file can name in advance. Proxies take addresses only, not names.
set -eu
own_address=$(hostname -i | cut -d' ' -f1)
: "${FAIRLEAD_ADDRESS:=$own_address}"
: "${FAIRLEAD_ADVERTISED_DEBUG_URL:=http://$own_address:${FAIRLEAD_HTTP_PORT:-15014}}"
export FAIRLEAD_ADDRESS FAIRLEAD_ADVERTISED_DEBUG_URL
exec "$@"
