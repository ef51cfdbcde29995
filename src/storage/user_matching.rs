//! Which people a search text matches. The one place that knows how, so that an index can take its work over.

use super::entity::users::Column;
use sea_orm::{
    ColumnTrait, Condition, ExprTrait,
    sea_query::{Expr, Func, LikeExpr},
};

/// Part of name, username or title, upper and lower case alike.
pub fn matching(q: &str) -> Condition {
    let small = q.to_lowercase();
    let mut any = Condition::any().add(Column::UsernameKey.like(part(&small)));
    for column in [Column::FullName, Column::CurrentTitle] {
        let lowered = Expr::expr(Func::lower(Expr::col(column)));
        any = any.add(lowered.like(part(&small)));
        // SQLite lowers only A to Z; what is typed just as it is stored is found all the same.
        if !q.is_ascii() {
            any = any.add(column.like(part(q)));
        }
    }
    any
}

/// The text itself anywhere, whatever signs of patterns it holds.
fn part(text: &str) -> LikeExpr {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    LikeExpr::new(pattern).escape('\\')
}
