//! The database as a thief of the disk or of a backup sees it.

use crate::support::database::TestDatabase;
use tokio::process::Command;

/// All of it as text: the file and its log on SQLite, a dump on PostgreSQL.
pub async fn contents(db: &TestDatabase) -> String {
    if !db.is_postgres() {
        let mut all = String::new();
        for entry in std::fs::read_dir(db.folder()).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            all.push_str(&String::from_utf8_lossy(&bytes));
        }
        return all;
    }
    let folder = "SELECT setting FROM pg_config WHERE name = 'BINDIR'";
    let folder = db.texts(folder).await.remove(0);
    let dump = Command::new(format!("{folder}/pg_dump"))
        .arg(db.url())
        .output();
    let dump = dump.await.expect("pg_dump stands beside the server");
    assert!(
        dump.status.success(),
        "{}",
        String::from_utf8_lossy(&dump.stderr)
    );
    String::from_utf8(dump.stdout).unwrap()
}
