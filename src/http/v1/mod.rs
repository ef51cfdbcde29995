//! `/api/v1`: one file a feature, named as its service. A route is added to the list of its feature's `routes()`.

use crate::services::Services;
use utoipa_axum::router::OpenApiRouter;

/// Everything under `/api/v1`.
pub fn routes() -> OpenApiRouter<Services> {
    OpenApiRouter::new()
}
