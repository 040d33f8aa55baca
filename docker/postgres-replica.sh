#!/usr/bin/env bash
# The second database server: copies the first once, then follows it until somebody promotes it.
set -euo pipefail

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    # A copy that was interrupted is begun again from nothing.
    rm -rf "${PGDATA:?}"/*
    mkdir -p "$PGDATA"
    chmod 700 "$PGDATA"
    pg_basebackup --host="${PORCHLIGHT_PRIMARY:-postgres}" --username=replicator --pgdata="$PGDATA" \
        --wal-method=stream --write-recovery-conf --checkpoint=fast
fi
exec postgres -c jit=off -c max_connections=400 -c hot_standby=on "$@"
