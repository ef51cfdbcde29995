//! What people are searched by: one document a person, indexed by trigrams (`pg_trgm` on PostgreSQL, FTS5 on SQLite), so
//! that any part of a word is found. The documents of people who were there before are written here.

use super::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager, async_trait};
use crate::storage::search;
use sea_orm::{ConnectionTrait, DbBackend};

#[derive(DeriveMigrationName)]
pub struct Migration;

const POSTGRES: &str = r#"
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE TABLE search_documents (
    id bigserial PRIMARY KEY,
    user_id uuid NOT NULL CONSTRAINT search_documents_user_id_key UNIQUE
        CONSTRAINT search_documents_user_id_fkey REFERENCES users (id) ON DELETE CASCADE,
    document text NOT NULL,
    name text COLLATE "C" NOT NULL,
    location text NOT NULL,
    country text,
    open_to_work boolean NOT NULL,
    is_visible boolean NOT NULL
);
CREATE INDEX search_documents_document_idx ON search_documents USING gin (document gin_trgm_ops);
CREATE INDEX search_documents_name_idx ON search_documents (name, user_id) WHERE is_visible;
CREATE INDEX search_documents_country_idx ON search_documents (country, name, user_id) WHERE is_visible;
CREATE INDEX search_documents_open_idx ON search_documents (name, user_id) WHERE is_visible AND open_to_work;
"#;

const SQLITE: &str = r"
CREATE TABLE search_documents (
    id integer PRIMARY KEY,
    user_id blob NOT NULL CONSTRAINT search_documents_user_id_key UNIQUE
        CONSTRAINT search_documents_user_id_fkey REFERENCES users (id) ON DELETE CASCADE,
    document text NOT NULL,
    name text NOT NULL,
    location text NOT NULL,
    country text,
    open_to_work boolean NOT NULL,
    is_visible boolean NOT NULL
);
CREATE INDEX search_documents_name_idx ON search_documents (name, user_id) WHERE is_visible;
CREATE INDEX search_documents_country_idx ON search_documents (country, name, user_id) WHERE is_visible;
CREATE INDEX search_documents_open_idx ON search_documents (name, user_id) WHERE is_visible AND open_to_work;
CREATE VIRTUAL TABLE search_index USING fts5(document, content='search_documents', content_rowid='id', tokenize='trigram');
INSERT INTO search_index (search_index, rank) VALUES ('secure-delete', 1);
CREATE TRIGGER search_documents_inserted AFTER INSERT ON search_documents BEGIN
    INSERT INTO search_index (rowid, document) VALUES (new.id, new.document);
END;
CREATE TRIGGER search_documents_deleted AFTER DELETE ON search_documents BEGIN
    INSERT INTO search_index (search_index, rowid, document) VALUES ('delete', old.id, old.document);
END;
CREATE TRIGGER search_documents_updated AFTER UPDATE OF document ON search_documents BEGIN
    INSERT INTO search_index (search_index, rowid, document) VALUES ('delete', old.id, old.document);
    INSERT INTO search_index (rowid, document) VALUES (new.id, new.document);
END;
";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        let tables = match manager.get_database_backend() {
            DbBackend::Postgres => POSTGRES,
            _ => SQLITE,
        };
        db.execute_unprepared(tables).await?;
        search::write_missing_documents(db).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        if manager.get_database_backend() != DbBackend::Postgres {
            db.execute_unprepared("DROP TABLE search_index").await?;
        }
        // The extension stays: others may use it.
        db.execute_unprepared("DROP TABLE search_documents").await?;
        Ok(())
    }
}
