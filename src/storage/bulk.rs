//! Many rows at once, in one transaction: `COPY` on PostgreSQL, statements of many rows on SQLite.

use super::Store;
use crate::domain::{Result, Timestamp};
use sea_orm::{ConnectionTrait, DbErr, RuntimeErr, Statement, Value};
use sqlx::{PgConnection, QueryBuilder};
use std::{fmt::Write as _, sync::Arc};
use uuid::Uuid;

/// SQLite's default bound on the values of one statement is 32,766.
const MOST_VALUES: usize = 30_000;

/// So few rows are one statement on PostgreSQL, too: the end of a short `COPY` waits 40 ms for the server to acknowledge
/// the rows (Nagle's algorithm, RFC 896).
const FEW: usize = 10;

/// One value of a row.
#[derive(Debug, Clone)]
pub enum Cell {
    Null,
    Text(String),
    Bytes(Vec<u8>),
    Number(i64),
    Flag(bool),
    Time(Timestamp),
    Id(Uuid),
}

impl Cell {
    /// Text that may be missing.
    pub fn text(text: Option<&str>) -> Self {
        text.map_or(Self::Null, |text| Self::Text(text.to_owned()))
    }

    /// A time that may be missing.
    pub fn time(time: Option<Timestamp>) -> Self {
        time.map_or(Self::Null, Self::Time)
    }

    fn value(&self) -> Value {
        match self {
            Self::Null => Value::String(None),
            Self::Text(text) => text.clone().into(),
            Self::Bytes(bytes) => bytes.clone().into(),
            Self::Number(number) => (*number).into(),
            Self::Flag(flag) => (*flag).into(),
            Self::Time(time) => (*time).into(),
            Self::Id(id) => (*id).into(),
        }
    }

    /// In the text format of `COPY`.
    fn copy_to(&self, line: &mut String) {
        // Writing to a String cannot fail.
        let _ = match self {
            Self::Null => line.write_str("\\N"),
            Self::Text(text) => {
                escape(text, line);
                Ok(())
            }
            Self::Bytes(bytes) => {
                line.push_str("\\\\x");
                bytes.iter().try_for_each(|byte| write!(line, "{byte:02x}"))
            }
            Self::Number(number) => write!(line, "{number}"),
            Self::Flag(flag) => line.write_str(if *flag { "t" } else { "f" }),
            Self::Time(time) => line.write_str(&time.to_rfc3339()),
            Self::Id(id) => write!(line, "{id}"),
        };
    }
}

fn escape(text: &str, line: &mut String) {
    for c in text.chars() {
        match c {
            '\\' => line.push_str("\\\\"),
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\t' => line.push_str("\\t"),
            other => line.push(other),
        }
    }
}

/// Rows of one table.
pub struct Rows {
    pub table: &'static str,
    pub columns: &'static [&'static str],
    /// Each with a cell for every column.
    pub cells: Vec<Vec<Cell>>,
}

/// Readies the connection that writes for very many rows: more memory, and fewer moves from SQLite's log into its file.
pub async fn make_ready(store: &Store) -> Result<()> {
    if !store.is_postgres() {
        let pragmas = "PRAGMA cache_size = -262144; PRAGMA wal_autocheckpoint = 16384; PRAGMA temp_store = file";
        store.writer().execute_unprepared(pragmas).await?;
    }
    Ok(())
}

/// Adds all rows, table by table, or none; a broken constraint is told as for single rows.
pub async fn insert_rows(store: &Store, tables: &[Rows]) -> Result<()> {
    if store.is_postgres() {
        let copied = copy(store, tables).await;
        return Ok(copied.map_err(|error| DbErr::Exec(RuntimeErr::SqlxError(Arc::new(error))))?);
    }
    let tx = store.begin().await?;
    for table in tables {
        let most = MOST_VALUES / table.columns.len().max(1);
        for rows in table.cells.chunks(most) {
            // Those that a table of roles names are new themselves.
            insert(&tx.unread(), table, rows).await?;
        }
    }
    Store::commit(tx).await
}

async fn insert(db: &impl ConnectionTrait, table: &Rows, rows: &[Vec<Cell>]) -> Result<(), DbErr> {
    let row = format!("({})", vec!["?"; table.columns.len()].join(","));
    let sql = format!(
        "INSERT INTO {} ({}) VALUES {}",
        table.table,
        table.columns.join(","),
        vec![row.as_str(); rows.len()].join(",")
    );
    let values = rows.iter().flatten().map(Cell::value);
    let insert = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    db.execute_raw(insert).await?;
    Ok(())
}

async fn copy(store: &Store, tables: &[Rows]) -> Result<(), sqlx::Error> {
    let pool = store.writer().get_postgres_connection_pool();
    let mut tx = pool.begin().await?;
    for table in tables.iter().filter(|table| !table.cells.is_empty()) {
        if table.cells.len() <= FEW {
            insert_few(&mut tx, table).await?;
            continue;
        }
        let sql = format!(
            "COPY {} ({}) FROM STDIN",
            table.table,
            table.columns.join(",")
        );
        let mut lines = String::new();
        for row in &table.cells {
            for (place, cell) in row.iter().enumerate() {
                if place > 0 {
                    lines.push('\t');
                }
                cell.copy_to(&mut lines);
            }
            lines.push('\n');
        }
        let mut copy = tx.copy_in_raw(&sql).await?;
        copy.send(lines.as_bytes()).await?;
        copy.finish().await?;
    }
    tx.commit().await
}

async fn insert_few(db: &mut PgConnection, table: &Rows) -> Result<(), sqlx::Error> {
    let columns = table.columns.join(",");
    let mut insert = QueryBuilder::new(format!("INSERT INTO {} ({columns}) ", table.table));
    insert.push_values(&table.cells, |mut row, cells| {
        for cell in cells {
            match cell.clone() {
                Cell::Null => row.push("NULL"),
                Cell::Text(text) => row.push_bind(text),
                Cell::Bytes(bytes) => row.push_bind(bytes),
                Cell::Number(number) => row.push_bind(number),
                Cell::Flag(flag) => row.push_bind(flag),
                Cell::Time(time) => row.push_bind(time),
                Cell::Id(id) => row.push_bind(id),
            };
        }
    });
    insert.build().execute(db).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_copy_reads_as_a_mark_is_escaped() {
        let mut line = String::new();
        for cell in [
            Cell::Text("a\tb\\.\nc\r".to_owned()),
            Cell::Bytes(vec![0, 255]),
            Cell::Null,
            Cell::Text("\\N".to_owned()),
        ] {
            cell.copy_to(&mut line);
            line.push('|');
        }
        assert_eq!(line, "a\\tb\\\\.\\nc\\r|\\\\x00ff|\\N|\\\\N|");
    }
}
