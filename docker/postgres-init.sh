#!/usr/bin/env bash
# Runs once, in PostgreSQL's own container: an account and a database for each service, neither sees the other's.
set -euo pipefail

for name in bot referral; do
    psql --username=postgres --set=ON_ERROR_STOP=1 --set=name="$name" --set=password="$POSTGRES_PASSWORD" <<'SQL'
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name";
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
SQL
done
