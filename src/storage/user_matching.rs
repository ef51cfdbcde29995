//! Which people a search text matches, whoever they are: by the same documents and indexes that members search.

use super::search::like;
use crate::domain::search::Words;
use sea_orm::{
    Condition, DbBackend, ExprTrait, Value,
    sea_query::{Expr, Query},
};

/// All words in name, username, title, headline, location or skills.
pub fn matching(words: &Words, backend: DbBackend) -> Condition {
    let pieces: Vec<String> = words.pieces().collect();
    let mut found = Query::select()
        .column("user_id")
        .from("search_documents")
        .to_owned();
    if backend == DbBackend::Postgres {
        for piece in &pieces {
            found.and_where(Expr::col("document").like(like(piece)));
        }
    } else {
        let (expression, short) = super::search::full_text(&pieces);
        let matches = "id IN (SELECT rowid FROM search_index WHERE search_index MATCH ?)";
        found.and_where(Expr::cust_with_values(matches, [Value::from(expression)]));
        for piece in short {
            found.and_where(Expr::cust_with_values(
                "instr(document, ?) > 0",
                [Value::from(piece)],
            ));
        }
    }
    Condition::all().add(Expr::col(("users", "id")).in_subquery(found))
}
