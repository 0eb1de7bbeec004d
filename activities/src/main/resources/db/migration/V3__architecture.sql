-- A job may ask for an architecture; its slot has the same one. In dev.mayfly.workflows.job.Arch's words.

alter table job add column arch text check (arch in ('x86_64', 'arm64'));
update job set arch = 'x86_64' where milli_cpus is not null;
alter table job drop constraint job_size;
alter table job add constraint job_size check (num_nulls(arch, milli_cpus, memory_mib, disk_mib) in (0, 4));

alter table slot add column arch text not null default 'x86_64' check (arch in ('x86_64', 'arm64'));
alter table slot alter column arch drop default;

alter table host add constraint host_arch check (arch in ('x86_64', 'arm64'));
