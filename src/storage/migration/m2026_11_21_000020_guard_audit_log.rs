//! The database's own guard over the audit trail: entries are added, get their place once, and go only from the old end, behind
//! a checkpoint that has become the chain's beginning. Who may change the schema may lift it; the chain then tells.

use super::{
    ConnectionTrait, DbErr, DeriveMigrationName, MigrationTrait, SchemaManager, async_trait,
};
use sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub struct Migration;

/// `REPLACE` deletes without a deletion's triggers, so an insertion over what is there is refused, too.
const SQLITE: &str = "
CREATE TRIGGER audit_log_added BEFORE INSERT ON audit_log
WHEN NEW.sequence IS NOT NULL OR NEW.hash IS NOT NULL OR EXISTS (SELECT 1 FROM audit_log WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'an entry of the audit trail is added without a place'); END;
CREATE TRIGGER audit_log_written BEFORE UPDATE OF id, at, action, outcome, actor_type, actor_id, subject_id, key_owner,
    ip_sealed, ip_index, user_agent_sealed, request_id, details ON audit_log
BEGIN SELECT RAISE(ABORT, 'an entry of the audit trail does not change'); END;
CREATE TRIGGER audit_log_sealed BEFORE UPDATE ON audit_log WHEN OLD.sequence IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a sealed entry of the audit trail does not change'); END;
CREATE TRIGGER audit_log_kept BEFORE DELETE ON audit_log
WHEN OLD.sequence IS NULL OR NOT EXISTS (SELECT 1 FROM audit_seals WHERE kind = 'beginning' AND sequence >= OLD.sequence)
BEGIN SELECT RAISE(ABORT, 'an entry of the audit trail is kept'); END;
CREATE TRIGGER audit_seals_added BEFORE INSERT ON audit_seals
WHEN NEW.kind <> 'batch' OR EXISTS (SELECT 1 FROM audit_seals WHERE sequence = NEW.sequence)
BEGIN SELECT RAISE(ABORT, 'a checkpoint is added as that of a batch'); END;
CREATE TRIGGER audit_seals_written BEFORE UPDATE ON audit_seals
WHEN NOT (OLD.kind = 'batch' AND NEW.kind = 'beginning' AND NEW.sequence = OLD.sequence AND NEW.hash = OLD.hash
    AND NEW.count = OLD.count AND NEW.at = OLD.at)
BEGIN SELECT RAISE(ABORT, 'a checkpoint changes only into the beginning'); END;
CREATE TRIGGER audit_seals_kept BEFORE DELETE ON audit_seals
WHEN NOT EXISTS (SELECT 1 FROM audit_seals WHERE kind = 'beginning' AND sequence > OLD.sequence)
BEGIN SELECT RAISE(ABORT, 'a checkpoint is kept'); END;
";

const POSTGRES: &str = "
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'the audit trail is only added to (%)', TG_NAME; END $$;
CREATE FUNCTION audit_log_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.sequence IS NULL OR NOT EXISTS (SELECT 1 FROM audit_seals WHERE kind = 'beginning' AND sequence >= OLD.sequence) THEN
        RAISE EXCEPTION 'an entry of the audit trail is kept';
    END IF;
    RETURN OLD;
END $$;
CREATE FUNCTION audit_seals_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM audit_seals WHERE kind = 'beginning' AND sequence > OLD.sequence) THEN
        RAISE EXCEPTION 'a checkpoint is kept';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER audit_log_added BEFORE INSERT ON audit_log FOR EACH ROW
    WHEN (NEW.sequence IS NOT NULL OR NEW.hash IS NOT NULL) EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_log_written BEFORE UPDATE OF id, at, action, outcome, actor_type, actor_id, subject_id, key_owner,
    ip_sealed, ip_index, user_agent_sealed, request_id, details ON audit_log FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_log_sealed BEFORE UPDATE ON audit_log FOR EACH ROW
    WHEN (OLD.sequence IS NOT NULL) EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_log_kept BEFORE DELETE ON audit_log FOR EACH ROW EXECUTE FUNCTION audit_log_keep();
CREATE TRIGGER audit_log_emptied BEFORE TRUNCATE ON audit_log FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_seals_added BEFORE INSERT ON audit_seals FOR EACH ROW
    WHEN (NEW.kind <> 'batch') EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_seals_written BEFORE UPDATE ON audit_seals FOR EACH ROW
    WHEN (NOT (OLD.kind = 'batch' AND NEW.kind = 'beginning' AND NEW.sequence = OLD.sequence AND NEW.hash = OLD.hash
        AND NEW.count = OLD.count AND NEW.at = OLD.at)) EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_seals_kept BEFORE DELETE ON audit_seals FOR EACH ROW EXECUTE FUNCTION audit_seals_keep();
CREATE TRIGGER audit_seals_emptied BEFORE TRUNCATE ON audit_seals FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
";

const LIFT_SQLITE: &str = "
DROP TRIGGER audit_log_added; DROP TRIGGER audit_log_written; DROP TRIGGER audit_log_sealed; DROP TRIGGER audit_log_kept;
DROP TRIGGER audit_seals_added; DROP TRIGGER audit_seals_written; DROP TRIGGER audit_seals_kept;
";

/// The triggers go with their functions.
const LIFT_POSTGRES: &str = "DROP FUNCTION audit_refuse, audit_log_keep, audit_seals_keep CASCADE";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, POSTGRES, SQLITE).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, LIFT_POSTGRES, LIFT_SQLITE).await
    }
}

async fn run(manager: &SchemaManager<'_>, postgres: &str, sqlite: &str) -> Result<(), DbErr> {
    let is_postgres = manager.get_database_backend() == DbBackend::Postgres;
    let sql = if is_postgres { postgres } else { sqlite };
    manager.get_connection().execute_unprepared(sql).await?;
    Ok(())
}
