//! Which limit a request counts against, by method and route template. A route that is in neither table counts as
//! `Api`; an operation that takes a password must be in one, which a test asks of the API's document.

use crate::services::Class;
use axum::http::Method;

/// What probes and browsers ask often and what is needed to read the API at all.
const UNLIMITED: &[&str] = &[
    "/",
    "/health",
    "/livez",
    "/readyz",
    "/metrics",
    "/openapi.json",
    "/openapi-3.0.json",
    "/asyncapi.json",
    "/docs",
    "/redoc",
    "/problems/{code}",
    "/.well-known/jwks.json",
    "/.well-known/change-password",
];

/// An operation with a class of its own.
struct Limited {
    class: Class,
    /// What a refusal is counted under in the audit trail: the use case's verb phrase.
    action: &'static str,
    /// All templates that it is at, pages included; with POST only.
    paths: &'static [&'static str],
}

const LIMITED: &[Limited] = &[
    Limited {
        class: Class::Login,
        action: "login",
        paths: &["/api/v1/auth/login", "/auth/login", "/login"],
    },
    Limited {
        class: Class::Login,
        action: "reauthenticate",
        paths: &["/api/v1/auth/reauthenticate"],
    },
    Limited {
        class: Class::Login,
        action: "change_password",
        paths: &["/api/v1/auth/change-password", "/auth/change-password"],
    },
    Limited {
        class: Class::Login,
        action: "change_email",
        paths: &["/api/v1/auth/change-email"],
    },
    Limited {
        class: Class::Login,
        action: "terminate_account",
        paths: &[
            "/api/v1/users/me/terminate",
            "/users/me/terminate",
            "/terminate",
        ],
    },
    Limited {
        class: Class::Login,
        action: "confirm_password_reset",
        paths: &[
            "/api/v1/auth/password-reset-confirm",
            "/auth/reset-password",
            "/password-reset",
            "/reset-password",
        ],
    },
    Limited {
        class: Class::Login,
        action: "accept_invitation",
        paths: &["/api/v1/auth/accept-invitation", "/accept-invitation"],
    },
    Limited {
        class: Class::Register,
        action: "register",
        paths: &["/api/v1/auth/register", "/auth/register", "/signup"],
    },
    Limited {
        class: Class::Mail,
        action: "request_password_reset",
        paths: &[
            "/api/v1/auth/password-reset-request",
            "/auth/request-password-reset",
            "/password-reset-request",
            "/forgot-password",
        ],
    },
    Limited {
        class: Class::Mail,
        action: "request_email_verification",
        paths: &[
            "/api/v1/auth/verify-email-request",
            "/auth/resend-verification",
            "/resend-verification",
        ],
    },
    Limited {
        class: Class::Refresh,
        action: "refresh",
        paths: &["/api/v1/auth/refresh", "/auth/refresh"],
    },
];

/// Class and action of a request to this route; `None` if nothing limits it.
pub fn find(method: &Method, route: &str) -> Option<(Class, &'static str)> {
    if UNLIMITED.contains(&route) {
        return None;
    }
    let own = LIMITED
        .iter()
        .find(|limited| *method == Method::POST && limited.paths.contains(&route));
    Some(own.map_or((Class::Api, "request"), |own| (own.class, own.action)))
}

/// Whether a request to this route is answered alike whatever comes of it.
pub fn asks_for_mail(method: &Method, route: &str) -> bool {
    matches!(find(method, route), Some((Class::Mail, _)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::document;
    use serde_json::{Value, json};

    /// Pages are not in the document.
    const PAGES: [&str; 4] = [
        "/reset-password",
        "/accept-invitation",
        "/forgot-password",
        "/resend-verification",
    ];

    fn takes_a_password(document: &Value, operation: &Value) -> bool {
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        let named = schema["$ref"]
            .as_str()
            .and_then(|name| name.strip_prefix('#'));
        let schema = named.and_then(|at| document.pointer(at)).unwrap_or(schema);
        schema.to_string().contains("password\":")
    }

    #[test]
    fn an_operation_that_takes_a_password_has_a_tight_limit() {
        let document = json!(document());
        let mut found = 0;
        for (path, operations) in document["paths"].as_object().unwrap() {
            for (method, operation) in operations.as_object().unwrap() {
                if takes_a_password(&document, operation) {
                    found += 1;
                    let method = method.to_uppercase().parse().unwrap();
                    let class = find(&method, path).map(|(class, _)| class);
                    assert!(
                        matches!(class, Some(Class::Login | Class::Register)),
                        "{method} {path} counts as {class:?}"
                    );
                }
            }
        }
        assert!(found >= 10, "only {found} operations take a password");
    }

    #[test]
    fn every_path_of_the_table_is_a_route() {
        let document = json!(document());
        for path in LIMITED.iter().flat_map(|limited| limited.paths) {
            let is_documented = !document["paths"][path]["post"].is_null();
            assert!(is_documented != PAGES.contains(path), "{path}");
        }
    }

    #[test]
    fn a_page_is_read_under_the_wide_limit_and_sent_under_the_tight_one() {
        let class = |method, path| find(&method, path).map(|(class, _)| class);
        assert_eq!(class(Method::GET, "/forgot-password"), Some(Class::Api));
        assert_eq!(class(Method::POST, "/forgot-password"), Some(Class::Mail));
        assert_eq!(class(Method::POST, "/reset-password"), Some(Class::Login));
    }

    #[test]
    fn what_is_in_no_table_counts_as_api_and_probes_count_as_nothing() {
        assert_eq!(find(&Method::GET, ""), Some((Class::Api, "request")));
        assert_eq!(
            find(&Method::GET, "/db/status"),
            Some((Class::Api, "request"))
        );
        assert_eq!(find(&Method::GET, "/readyz"), None);
    }

    #[test]
    fn d9_the_large_files_of_the_documentation_are_limited() {
        for path in ["/docs/{file}", "/redoc/{file}"] {
            assert_eq!(find(&Method::GET, path), Some((Class::Api, "request")));
        }
    }
}
