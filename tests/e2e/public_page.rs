//! Public pages: the clicks of one link for whoever has the address, and of nothing else for anybody.

use pimms_cli::http_client::Answer;
use serde_json::{Value, json};

use crate::shared;
use crate::support::{Workspace, refused};

fn asked(path: &str) -> Answer {
    shared().client().get(&format!("/api/share/{path}")).send().unwrap()
}

fn figures(path: &str) -> (u16, Value) {
    let answer = asked(path);
    (answer.status, answer.json())
}

/// The id of a link's public page.
fn page(workspace: &Workspace, link: &str) -> String {
    workspace.get(&format!("/links/{link}/dashboard"))["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_page_tells_of_clicks_on_its_link_and_of_nothing_else() {
    let acme = Workspace::new("public-page");
    let body = json!({"key": "shown", "url": "https://shop.example/?secret=1", "publicStats": true, "title": "Spring"});
    let link = acme.post("/links", &body);
    let link = link["id"].as_str().unwrap();
    let (other, _) = acme.clicked("hidden");
    for chrome in [120, 121] {
        acme.click("shown", chrome);
    }
    acme.settles("/analytics?interval=24h", |found| found["clicks"] == 3);

    let id = page(&acme, link);
    assert!(id.starts_with("dash_") && id.len() > 40, "{id}");
    assert_eq!(acme.get(&format!("/links/{other}/dashboard")), Value::Null);
    let listed = acme.get("/links?includeDashboard=true");
    let ids: Vec<&Value> = listed.as_array().unwrap().iter().map(|link| &link["dashboardId"]).collect();
    assert!(ids.contains(&&json!(id)) && ids.contains(&&Value::Null), "{listed}");
    assert_eq!(acme.get("/links")[0].get("dashboardId"), None, "only when asked for");

    let about = asked(&id);
    assert_eq!((about.status, &about.json()["title"]), (200, &json!("Spring")));
    assert!(!about.text().contains("shop.example"), "the destination is the visitor's: {}", about.text());
    assert_eq!(figures(&format!("{id}/analytics?interval=24h")), (200, json!({"clicks": 2})));
    let series = figures(&format!("{id}/analytics?interval=24h&groupBy=timeseries")).1;
    let total: i64 = series.as_array().unwrap().iter().map(|row| row["clicks"].as_i64().unwrap()).sum();
    assert_eq!(total, 2, "{series}");
    let browsers = figures(&format!("{id}/analytics?interval=24h&groupBy=browsers")).1;
    assert_eq!(browsers, json!([{"browser": "Chrome", "clicks": 2}]));
    for query in [
        "linkId",
        "domain",
        "folderId",
        "customerId",
        "country",
        "model",
        "mode",
        "event",
        "utm_source",
        "url",
    ] {
        refused(&figures(&format!("{id}/analytics?{query}={other}")), 422, "unprocessable_entity");
    }
    for group in ["top_links", "utm_campaigns", "referer_urls", "top_urls", "triggers"] {
        refused(&figures(&format!("{id}/analytics?groupBy={group}")), 422, "unprocessable_entity");
    }
    refused(&figures(&format!("{id}/analytics?timezone=Nowhere")), 422, "unprocessable_entity");
}

#[test]
fn a_page_that_is_off_is_nowhere() {
    let acme = Workspace::new("public-page-off");
    let body = json!({"key": "seen", "url": "https://shop.example/", "publicStats": true});
    let link = acme.post("/links", &body);
    let link = link["id"].as_str().unwrap();
    let id = page(&acme, link);
    assert_eq!(acme.visit("/stats/seen"), format!("https://{}/app/share/{id}", acme.domain));
    assert_eq!(acme.visit("/stats/nobody"), "404");
    // Whatever else is changed, the address stays.
    acme.patch(&format!("/links/{link}"), &json!({"title": "Other"}));
    assert_eq!(page(&acme, link), id);

    let (head, secret) = id.split_at(id.len() - 16);
    let wrong = [
        "0".repeat(16),
        secret.chars().rev().collect(),
        secret.to_lowercase().replace('a', "b"),
        String::new(),
    ];
    for wrong in wrong.iter().filter(|wrong| wrong.as_str() != secret) {
        refused(&figures(&format!("{head}{wrong}")), 404, "not_found");
        refused(&figures(&format!("{head}{wrong}/analytics")), 404, "not_found");
    }
    for wrong in [link, "dash_", "x", "dash_%27%20OR%201=1--0123456789abcdef"] {
        refused(&figures(wrong), 404, "not_found");
    }

    acme.patch(&format!("/links/{link}"), &json!({"publicStats": false}));
    refused(&figures(&id), 404, "not_found");
    refused(&figures(&format!("{id}/analytics")), 404, "not_found");
    assert_eq!(acme.get(&format!("/links/{link}/dashboard")), Value::Null);
    assert_eq!(acme.visit("/stats/seen"), "404");

    acme.patch(&format!("/links/{link}"), &json!({"publicStats": true}));
    let next = page(&acme, link);
    assert_ne!(next, id, "another address");
    refused(&figures(&id), 404, "not_found");
    assert_eq!(figures(&next).0, 200);
    assert_eq!(acme.call("DELETE", &format!("/links/{link}"), None).0, 200);
    refused(&figures(&next), 404, "not_found");

    let taken = acme.call("POST", "/links", Some(&json!({"key": "stats/x", "url": "https://shop.example/"})));
    assert_eq!(taken.0, 403, "{}: the path is of public pages", taken.1);
}
