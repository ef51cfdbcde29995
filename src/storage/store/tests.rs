//! The file on disk, and what is left of it when the disk is full.

use super::*;
use std::os::unix::fs::PermissionsExt as _;

#[tokio::test]
async fn the_sqlite_file_its_log_and_its_folder_are_their_owners_alone() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("data");
    let file = folder.join("usher.db");
    let settings = StoreSettings {
        url: format!("sqlite://{}", file.display()),
        pool_size: 1,
        max_connections: 2,
        acquire_timeout: Duration::from_secs(2),
        synchronous: Synchronous::Full,
    };
    let store = Store::connect(&settings).await.unwrap();
    let table = "CREATE TABLE a (b)";
    store.writer().execute_unprepared(table).await.unwrap();
    let rights = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(rights(&folder), 0o700);
    assert_eq!(rights(&file), 0o600);
    assert_eq!(rights(&folder.join("usher.db-wal")), 0o600);
    store.close().await;
}

#[tokio::test]
async fn after_a_full_disk_what_is_committed_is_there_for_everybody() {
    let folder = tempfile::tempdir().unwrap();
    let settings = StoreSettings {
        url: format!("sqlite://{}/usher.db", folder.path().display()),
        pool_size: 1,
        max_connections: 2,
        acquire_timeout: Duration::from_secs(2),
        synchronous: Synchronous::Full,
    };
    let store = Store::connect(&settings).await.unwrap();
    let run = async |sql| store.writer().execute_unprepared(sql).await.map(|_| ());
    run("CREATE TABLE a (b)").await.unwrap();
    run("PRAGMA max_page_count = 10").await.unwrap();
    let full = store.begin().await.unwrap();
    let large = "INSERT INTO a VALUES (zeroblob(1000000))";
    assert!(full.execute_unprepared(large).await.is_err());
    drop(full);
    run("PRAGMA max_page_count = 1000000").await.unwrap();
    // One that is given up, and one that counts.
    drop(store.begin().await.unwrap());
    let tx = store.begin().await.unwrap();
    let small = "INSERT INTO a VALUES (1)";
    tx.execute_unprepared(small).await.unwrap();
    Store::commit(tx).await.unwrap();
    let count = Statement::from_string(DbBackend::Sqlite, "SELECT count(*) FROM a");
    let row = store.reader().query_one_raw(count).await.unwrap().unwrap();
    assert_eq!(row.try_get_by_index::<i64>(0).unwrap(), 1);
    store.close().await;
}
