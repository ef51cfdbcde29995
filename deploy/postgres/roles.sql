-- Two roles for Usher, by a superuser who is connected to its database: the owner changes the schema (`usher migrate`), the service reads
-- and writes rows and nothing else. Put passwords of your own in: openssl rand -hex 24
CREATE ROLE usher_owner LOGIN PASSWORD 'OWNER-PASSWORD';
CREATE ROLE usher_service LOGIN PASSWORD 'SERVICE-PASSWORD';

ALTER DATABASE usher OWNER TO usher_owner;
REVOKE CONNECT, TEMPORARY ON DATABASE usher FROM PUBLIC;
GRANT CONNECT ON DATABASE usher TO usher_service;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO usher_service;

-- What is there, and what migrations make later.
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO usher_service;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO usher_service;
ALTER DEFAULT PRIVILEGES FOR ROLE usher_owner IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO usher_service;
ALTER DEFAULT PRIVILEGES FOR ROLE usher_owner IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO usher_service;
