//! Whether the service is well. `/livez` asks nothing but the process; `/health` and `/readyz` ask the database, and
//! `/readyz` also fails while draining, so that a balancer looks elsewhere before the listener closes.

use super::{System, operator::Operator};
use crate::{
    domain::error::Result,
    http::{extract::Json, problem::Problem},
    services::system::DatabaseStatus,
};
use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

/// The service is well.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"status": "up"}))]
pub struct HealthResponse {
    /// Always `up`; otherwise the answer is a problem.
    #[schema(value_type = String, max_length = 10)]
    status: &'static str,
}

const UP: Json<HealthResponse> = Json(HealthResponse { status: "up" });

/// Health check
///
/// Up if the database answers.
#[utoipa::path(
    get, path = "/health", tag = "System",
    responses((status = 200, description = "The service is up.", body = HealthResponse))
)]
pub async fn check_health(State(system): State<System>) -> Result<Json<HealthResponse>> {
    system.services.health().await?;
    Ok(UP)
}

/// Liveness probe
///
/// Up as long as the process answers at all; a failure means that it should be restarted.
#[utoipa::path(
    get, path = "/livez", tag = "System",
    responses((status = 200, description = "The process answers.", body = HealthResponse))
)]
pub async fn check_liveness() -> Json<HealthResponse> {
    UP
}

/// Readiness probe
///
/// Up if requests should be sent here: the database answers and the node is not shutting down.
#[utoipa::path(
    get, path = "/readyz", tag = "System",
    responses((status = 200, description = "The node takes requests.", body = HealthResponse))
)]
pub async fn check_readiness(State(system): State<System>) -> Result<Response> {
    if system.services.is_draining() {
        let detail = "This node is shutting down; another one answers.";
        let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail);
        return Ok(problem.into_response());
    }
    system.services.health().await?;
    Ok(UP.into_response())
}

/// Metrics
///
/// All figures in Prometheus text format. In production for the metrics token or admins only.
#[utoipa::path(
    get, path = "/metrics", tag = "System",
    security((), ("bearerAuth" = [])),
    responses(
        (status = 200, description = "The figures.", body = String, content_type = "text/plain; version=0.0.4",
            example = "usher_http_requests_total{method=\"GET\",route=\"/health\",status=\"200\"} 1\n"),
        (status = 401, description = "`unauthenticated`, `token_invalid`, `token_expired`, `session_ended`"),
        (status = 403, description = "`forbidden`"),
    )
)]
pub async fn read_metrics(_: Operator, State(system): State<System>) -> Response {
    let media_type = "text/plain; version=0.0.4; charset=utf-8";
    (
        [(header::CONTENT_TYPE, media_type)],
        system.metrics.render(),
    )
        .into_response()
}

/// How the database is.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "status": "up", "backend": "postgresql", "version": "15.18", "latency_ms": 0.412,
    "pool": {"size": 10, "idle": 9, "max": 30},
    "migrations": {"applied": 12, "pending": 0, "latest": "m2026_01_05_create_users"},
}))]
pub struct DatabaseStatusResponse {
    /// Always `up`; otherwise the answer is a problem.
    #[schema(value_type = String, max_length = 10)]
    status: &'static str,
    /// `sqlite` or `postgresql`.
    #[schema(max_length = 20)]
    backend: String,
    /// The server's version.
    #[schema(max_length = 200)]
    version: String,
    /// Time of one round trip.
    #[schema(minimum = 0)]
    latency_ms: f64,
    pool: PoolResponse,
    migrations: MigrationsResponse,
}

/// The connections.
#[derive(Serialize, ToSchema)]
struct PoolResponse {
    /// Open now.
    #[schema(minimum = 0)]
    size: u32,
    /// Open and unused.
    #[schema(minimum = 0)]
    idle: u32,
    /// At most.
    #[schema(minimum = 1)]
    max: u32,
}

/// How far the schema is.
#[derive(Serialize, ToSchema)]
struct MigrationsResponse {
    #[schema(minimum = 0)]
    applied: usize,
    #[schema(minimum = 0)]
    pending: usize,
    /// The name of the last one that is applied.
    #[schema(max_length = 100)]
    latest: Option<String>,
}

impl From<DatabaseStatus> for DatabaseStatusResponse {
    fn from(status: DatabaseStatus) -> Self {
        Self {
            status: "up",
            backend: status.backend.to_owned(),
            version: status.version,
            latency_ms: status.latency.as_secs_f64() * 1000.0,
            pool: PoolResponse {
                size: status.pool_size,
                idle: status.pool_idle,
                max: status.pool_max,
            },
            migrations: MigrationsResponse {
                applied: status.applied,
                pending: status.pending,
                latest: status.latest,
            },
        }
    }
}

/// Database status
///
/// Backend, latency, connections and schema. In production for the metrics token or admins only.
#[utoipa::path(
    get, path = "/db/status", tag = "System",
    security((), ("bearerAuth" = [])),
    responses(
        (status = 200, description = "The database answers.", body = DatabaseStatusResponse),
        (status = 401, description = "`unauthenticated`, `token_invalid`, `token_expired`, `session_ended`"),
        (status = 403, description = "`forbidden`"),
    )
)]
pub async fn read_database_status(
    _: Operator,
    State(system): State<System>,
) -> Result<Json<DatabaseStatusResponse>> {
    let status = system.services.database_status().await?;
    Ok(Json(status.into()))
}
