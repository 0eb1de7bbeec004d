#!/bin/sh
# Brings the tables of Temporal's two databases to the version of this image. Both steps do nothing where it is reached.
set -eu
SQL_PASSWORD=$(cat "${SQL_PASSWORD_FILE:-/run/secrets/temporal-database}")
export SQL_PASSWORD
for pair in temporal:temporal temporal_visibility:visibility; do
    database=${pair%%:*}
    temporal-sql-tool --database "$database" setup-schema --version 0.0
    temporal-sql-tool --database "$database" update-schema --schema-name "postgresql/v12/${pair#*:}"
done
