-- Run once by the postgres image, on an empty volume: a role and databases of its own for Mayfly and for Temporal.
-- Neither sees the other's. The passwords are read from their files, so that they stand in no argument.
\set ON_ERROR_STOP on
\set mayfly_password `cat /run/secrets/mayfly-database`
\set temporal_password `cat /run/secrets/temporal-database`

create role mayfly login password :'mayfly_password';
create database mayfly owner mayfly;

create role temporal login password :'temporal_password';
create database temporal owner temporal;
create database temporal_visibility owner temporal;

revoke connect on database mayfly, temporal, temporal_visibility from public;
