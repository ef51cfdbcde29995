//! Which statements may make a check of a token untrue.

/// What a check of a token reads, and by which statements what it read may become untrue. New people and new sessions
/// have no check to spoil.
const WATCHED: [(&str, &[&str]); 5] = [
    ("users", &["UPDATE", "DELETE"]),
    ("user_sessions", &["UPDATE", "DELETE"]),
    ("user_roles", &["INSERT", "UPDATE", "DELETE"]),
    ("tokens", &["INSERT", "UPDATE", "DELETE"]),
    ("role_permissions", &["INSERT", "UPDATE", "DELETE"]),
];

/// The watched table that a statement writes to.
pub(super) fn table(sql: &str) -> Option<&'static str> {
    let mut words = sql.split(|c: char| c.is_whitespace() || "\"(),;".contains(c));
    let mut words = std::iter::from_fn(move || words.find(|word| !word.is_empty()));
    while let Some(word) = words.next() {
        let kind = match word {
            w if w.eq_ignore_ascii_case("UPDATE") => "UPDATE",
            w if w.eq_ignore_ascii_case("DELETE") => "DELETE",
            w if w.eq_ignore_ascii_case("INSERT") => "INSERT",
            _ => continue,
        };
        let is_filler = |word: &&str| {
            ["FROM", "INTO", "ONLY", "OR", "IGNORE", "REPLACE"]
                .iter()
                .any(|filler| word.eq_ignore_ascii_case(filler))
        };
        let table = words.find(|word| !is_filler(word))?;
        let table = table.rsplit('.').next().unwrap_or(table);
        let found = WATCHED
            .iter()
            .find(|(name, kinds)| name.eq_ignore_ascii_case(table) && kinds.contains(&kind));
        if let Some((name, _)) = found {
            return Some(name);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_write_to_what_checks_read_is_seen_in_whatever_form() {
        for (sql, name) in [
            (r#"UPDATE "users" SET "tier" = $1"#, "users"),
            ("delete from public.user_roles where x", "user_roles"),
            (
                r#"INSERT OR IGNORE INTO "tokens" ("jti") VALUES ($1)"#,
                "tokens",
            ),
            (
                "WITH gone AS (DELETE FROM ONLY user_sessions RETURNING id) SELECT 1",
                "user_sessions",
            ),
            (
                "UPDATE outbox_mails SET a = 1; UPDATE users SET b = 2",
                "users",
            ),
            (
                "INSERT INTO role_permissions(role) VALUES ('x')",
                "role_permissions",
            ),
        ] {
            assert_eq!(super::table(sql), Some(name), "{sql}");
        }
    }

    #[test]
    fn reads_new_people_and_other_tables_concern_nobody() {
        for sql in [
            r#"SELECT "users"."id" FROM "users" FOR UPDATE"#,
            r#"INSERT INTO "users" ("id") VALUES ($1)"#,
            "INSERT INTO user_search (id) SELECT id FROM users ON CONFLICT DO UPDATE SET a = 1",
            r#"UPDATE "user_profiles" SET "users" = 1"#,
            "",
        ] {
            assert_eq!(super::table(sql), None, "{sql}");
        }
    }
}
