//! The pages of the documentation: to whom they are shown, and that they load nothing from elsewhere.

use super::*;

const PAGES: [&str; 2] = ["/docs", "/redoc"];

/// The addresses in `src` and `href` of a page.
fn loaded_by(html: &str) -> Vec<&str> {
    ["src=\"", "href=\""]
        .into_iter()
        .flat_map(|attribute| html.split(attribute).skip(1))
        .filter_map(|rest| rest.split('"').next())
        .collect()
}

#[tokio::test]
async fn pages_load_only_what_the_binary_serves() {
    let bench = Bench::new(true, Docs::Public).await;
    for page in PAGES {
        let answer = bench.get(page, None).await;
        assert_eq!(answer.status, StatusCode::OK);
        let addresses = loaded_by(&answer.body);
        assert!(addresses.len() >= 2, "{addresses:?}");
        for address in addresses.into_iter().filter(|address| *address != "data:,") {
            assert!(address.starts_with(&format!("{page}/")), "{address}");
            let file = bench.get(address, None).await;
            assert_eq!(file.status, StatusCode::OK, "{address}");
            assert!(!file.body.is_empty(), "{address}");
        }
    }
}

#[tokio::test]
async fn the_policy_of_a_page_names_no_other_host_and_no_inline_script() {
    let bench = Bench::new(true, Docs::Public).await;
    for page in PAGES {
        let answer = bench.get(page, None).await;
        let policy = answer.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self';"),
            "{policy}"
        );
        assert!(
            !policy.contains("http") && !policy.contains('*'),
            "{policy}"
        );
        assert!(!answer.body.contains("<script>"), "{page}");
    }
}

#[tokio::test]
async fn pages_are_for_whom_the_setting_names() {
    let paths = [
        "/docs",
        "/docs/swagger-ui.css",
        "/redoc",
        "/redoc/redoc.standalone.js",
    ];
    let admin = Bench::new(true, Docs::Admin).await;
    let token = admin.admin_token().await;
    let off = Bench::new(true, Docs::Off).await;
    for path in paths {
        assert_eq!(
            admin.get(path, None).await.status,
            StatusCode::UNAUTHORIZED,
            "{path}"
        );
        assert_eq!(
            admin.get(path, Some(&token)).await.status,
            StatusCode::OK,
            "{path}"
        );
        assert_eq!(
            off.get(path, None).await.status,
            StatusCode::NOT_FOUND,
            "{path}"
        );
        assert_eq!(
            off.get(path, Some(&token)).await.status,
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
}

#[tokio::test]
async fn no_name_leads_out_of_the_files() {
    let bench = Bench::new(true, Docs::Public).await;
    let names = [
        "",
        "index.html",
        "..",
        "%2e%2e",
        "..%2fCargo.toml",
        "..%2f..%2f..%2fetc%2fpasswd",
        "%2fetc%2fpasswd",
        "..%5c..%5csecret",
        "%00",
        "%ff",
        "swagger-ui.css%00",
        "./start.js",
        "../openapi.json",
        "x/y",
    ];
    for page in PAGES {
        for name in names {
            let answer = bench.get(&format!("{page}/{name}"), None).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{page}/{name}");
        }
    }
}

#[tokio::test]
async fn who_has_the_bundle_need_not_load_it_again() {
    let bench = Bench::new(true, Docs::Public).await;
    let path = "/redoc/redoc.standalone.js";
    let first = bench.get(path, None).await;
    assert_eq!(first.header("cache-control"), "no-cache");
    let again = bench.get_known(path, first.header("etag")).await;
    assert_eq!(
        (again.status, again.body.as_str()),
        (StatusCode::NOT_MODIFIED, "")
    );
}

#[tokio::test]
async fn the_document_is_for_whom_the_setting_names() {
    for path in ["/openapi.json", "/openapi-3.0.json"] {
        let public = Bench::new(true, Docs::Public).await;
        let answer = public.get(path, None).await;
        assert_eq!(answer.json()["info"]["title"], "Usher");
        let admin = Bench::new(true, Docs::Admin).await;
        let token = admin.admin_token().await;
        assert_eq!(admin.get(path, None).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(admin.get(path, Some(&token)).await.status, StatusCode::OK);
        let off = Bench::new(true, Docs::Off).await;
        assert_eq!(off.get(path, None).await.status, StatusCode::NOT_FOUND);
    }
}
