//! Floor 3: the JSON API.

mod compat;
mod error;
mod extract;
pub mod middleware;
mod problem;
mod problem_kinds;
mod responses;
pub mod settings;
mod v1;

use crate::services::Services;
use axum::{Router, middleware::from_fn};
use middleware::negotiate;
use utoipa_axum::router::OpenApiRouter;

pub use v1::email_verification::verify_email_get;

/// The canonical API with its document.
fn api() -> OpenApiRouter<Services> {
    OpenApiRouter::new()
        .nest("/api/v1/auth", v1::auth())
        .nest("/api/v1/users", v1::users())
}

/// All routes of the API, without the frame.
pub fn routes(services: &Services) -> Router {
    let (canonical, _) = api().split_for_parts();
    let (users, _) = OpenApiRouter::new().nest(compat::USERS.1, v1::users()).split_for_parts();
    canonical
        .merge(users)
        .merge(compat::routes())
        .route_layer(from_fn(negotiate::json))
        .with_state(services.clone())
}
