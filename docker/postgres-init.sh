#!/usr/bin/env bash
# Runs once, in PostgreSQL's own container: an account and a database for each service, neither sees the other's;
# and, where a password for it is given, the account with which a replica follows.
set -euo pipefail

for name in bot referral; do
    psql --username=postgres --set=ON_ERROR_STOP=1 --set=name="$name" --set=password="$POSTGRES_PASSWORD" <<'SQL'
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name";
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
SQL
done

if [ -n "${PORCHLIGHT_REPLICATION_PASSWORD:-}" ]; then
    psql --username=postgres --set=ON_ERROR_STOP=1 --set=password="$PORCHLIGHT_REPLICATION_PASSWORD" <<'SQL'
CREATE ROLE replicator REPLICATION LOGIN PASSWORD :'password';
SQL
    echo "host replication replicator all scram-sha-256" >>"$PGDATA/pg_hba.conf"
fi
