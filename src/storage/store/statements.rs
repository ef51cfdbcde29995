//! Who is told of every statement: its kind, its table and its time, never its text or its values.

use super::Store;
use std::time::Duration;

/// Told of an answered statement: kind, table, how long it took, whether it failed.
pub type Told = fn(&'static str, &str, Duration, bool);

impl Store {
    /// Has every statement from now on told.
    pub fn tell_of_statements(&mut self, told: Told) {
        for pool in [&mut self.write, &mut self.read] {
            pool.set_metric_callback(move |info| {
                let (operation, table) = kind(&info.statement.sql);
                told(operation, table, info.elapsed, info.failed);
            });
        }
    }
}

/// The kind of a statement, and the table that it names first.
fn kind(sql: &str) -> (&'static str, &str) {
    let mut words = sql.split_ascii_whitespace();
    let first = words.next().unwrap_or_default();
    let (operation, before_table) = match first.to_ascii_uppercase().as_str() {
        "SELECT" => ("SELECT", "FROM"),
        "INSERT" => ("INSERT", "INTO"),
        "UPDATE" => ("UPDATE", ""),
        "DELETE" => ("DELETE", "FROM"),
        "WITH" => ("WITH", "FROM"),
        _ => ("OTHER", ""),
    };
    let table = match (operation, before_table) {
        ("OTHER", _) => None,
        (_, "") => words.next(),
        _ => words
            .by_ref()
            .skip_while(|word| !word.eq_ignore_ascii_case(before_table))
            .nth(1),
    };
    let table = table
        .unwrap_or_default()
        .trim_matches(['"', '(', ')', ',', ';']);
    let is_name = table.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    (operation, if is_name { table } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_told_by_its_kind_and_its_table() {
        for (sql, told) in [
            (
                r#"SELECT "users"."id" FROM "users" WHERE "id" = $1"#,
                ("SELECT", "users"),
            ),
            ("select 1", ("SELECT", "")),
            (
                r#"INSERT INTO "audit_log" ("id") VALUES ($1)"#,
                ("INSERT", "audit_log"),
            ),
            (
                r#"UPDATE "user_sessions" SET "x" = 'a@b.example'"#,
                ("UPDATE", "user_sessions"),
            ),
            (
                "DELETE FROM tokens WHERE jti IN (SELECT jti FROM tokens)",
                ("DELETE", "tokens"),
            ),
            ("SELECT x FROM 'a@b.example'", ("SELECT", "")),
            ("PRAGMA wal_checkpoint(TRUNCATE)", ("OTHER", "")),
            ("", ("OTHER", "")),
        ] {
            assert_eq!(kind(sql), told, "{sql}");
        }
    }
}
