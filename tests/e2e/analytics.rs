//! `/api/analytics` and `/api/events`: one story, asked about in every way.

use pimms_cli::clock::now_secs;
use pimms_cli::stripe::{Build, Charge, Event, Session};
use pimms_edge::core::analytics::GROUPS;
use serde_json::{Value, json};

use crate::shared;
use crate::support::{Workspace, refused, upkeep};

const BROWSER: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";
const PHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
    Version/17.5 Mobile/15E148 Safari/604.1";

/// A visitor from somewhere follows a link; gives the click id.
fn click(workspace: &Workspace, path: &str, agent: &str, referer: &str, cf: &Value) -> String {
    let request = shared().client().get(path).header("x-pimms-host", &workspace.domain).cf(cf.clone());
    let answer = request.header("user-agent", agent).header("referer", referer).send().unwrap();
    let location = answer.header("location").unwrap().to_owned();
    location.split_once("pimms_id=").unwrap().1.split('&').next().unwrap().to_owned()
}

/// Two links; three clicks from Lyon, Paris and San Francisco; one lead, two sales of which one is partly refunded,
/// one sale without a click, one in yen, one in test mode.
pub fn story(name: &str) -> (Workspace, String, String) {
    let workspace = Workspace::new(name);
    let link = |key: &str, tail: &str| {
        let body =
            json!({"url": format!("https://shop.example/{key}{tail}"), "key": key, "trackConversion": true});
        workspace.post("/links", &body)["id"].as_str().unwrap().to_owned()
    };
    let (news, ads) = (link("news", "?utm_source=news&utm_medium=mail"), link("ads", "?utm_source=ads"));
    let lyon = json!({"country": "FR", "continent": "EU", "regionCode": "ARA", "city": "Lyon"});
    let paris = json!({"country": "FR", "continent": "EU", "regionCode": "IDF", "city": "Paris"});
    let california = json!({"country": "US", "continent": "NA", "regionCode": "CA", "city": "San Francisco"});
    let first = click(&workspace, "/news", BROWSER, "https://www.letter.example/issue?n=1", &lyon);
    click(&workspace, "/news?qr=1", PHONE, "", &paris);
    let third = click(&workspace, "/ads", BROWSER, "", &california);
    workspace.settles("/analytics?interval=24h", |count| count["clicks"] == 3);
    workspace.post(
        "/track/lead",
        &json!({"clickId": first, "externalId": "ada", "eventName": "Sign up", "customerEmail": "ada@shop.example",
            "metadata": {"plan": "pro"}}),
    );
    let sale = |ext: &str, click: &str, amount: i64, currency: &str, n: u32| {
        let session = Session::paid(&format!("cs_{n}")).amount(amount, currency).intent(&format!("pi_{n}"));
        let session = match (ext, click) {
            ("", "") => session.customer("cus_nobody"),
            ("", click) => session.referred_by_click(click),
            (ext, _) => session.customer("cus_ada").external_id(ext),
        };
        workspace.stripe(&Event::new("checkout.session.completed", session).at(now_secs()));
    };
    sale("ada", "", 4900, "usd", 1);
    sale("", &third, 1000, "usd", 2);
    sale("", "", 700, "usd", 3);
    sale("ada", "", 5000, "xts", 4);
    let refund = Charge::succeeded("ch_1").intent("pi_1").amount(4900, "usd").refunded(900);
    workspace.stripe(&Event::new("charge.refunded", refund).at(now_secs()));
    workspace.settles("/analytics?event=sales", |count| {
        count["sales"].as_i64() >= Some(3) && count["saleAmount"] == 4000 + 1000 + 700
    });
    (workspace, news, ads)
}

#[test]
fn one_story_in_every_grouping() {
    let (workspace, news, ads) = story("analytics");
    let all = workspace.get("/analytics?event=composite");
    assert_eq!(
        (&all["clicks"], &all["leads"], &all["saleAmount"], &all["currency"]),
        (&json!(3), &json!(2), &json!(5700), &json!("usd")),
        "{all}"
    );
    let gross = workspace.get("/analytics?event=sales&gross=true");
    assert_eq!(gross["saleAmount"], 6600, "{gross}");
    // `keys` of each row in order, with clicks and money.
    let rows = |query: &str, name: &str| -> Vec<(String, i64, i64)> {
        let found = workspace.get(&format!("/analytics?event=composite&{query}"));
        let row = |row: &Value| {
            let key = row[name].as_str().unwrap_or_default().to_owned();
            (key, row["clicks"].as_i64().unwrap(), row["saleAmount"].as_i64().unwrap())
        };
        found.as_array().unwrap_or_else(|| panic!("{query}: {found}")).iter().map(row).collect()
    };
    for (query, name, expected) in [
        ("groupBy=top_links", "id", vec![(news.as_str(), 2, 4000), (ads.as_str(), 1, 1000)]),
        ("groupBy=top_links", "key", vec![("news", 2, 4000), ("ads", 1, 1000)]),
        ("groupBy=countries", "country", vec![("FR", 2, 4000), ("US", 1, 1000), ("Unknown", 0, 700)]),
        ("groupBy=continents", "continent", vec![("EU", 2, 4000), ("NA", 1, 1000), ("Unknown", 0, 700)]),
        (
            "groupBy=regions",
            "region",
            vec![("FR-ARA", 1, 4000), ("US-CA", 1, 1000), ("FR-IDF", 1, 0), ("Unknown", 0, 700)],
        ),
        (
            "groupBy=cities",
            "city",
            vec![("Lyon", 1, 4000), ("San Francisco", 1, 1000), ("Paris", 1, 0), ("Unknown", 0, 700)],
        ),
        ("groupBy=triggers", "trigger", vec![("link", 2, 5000), ("qr", 1, 0), ("Unknown", 0, 700)]),
        ("groupBy=devices", "device", vec![("Desktop", 2, 5000), ("Mobile", 1, 0), ("Unknown", 0, 700)]),
        (
            "groupBy=referers",
            "referer",
            vec![("(direct)", 2, 1000), ("letter.example", 1, 4000), ("Unknown", 0, 700)],
        ),
        (
            "groupBy=referer_urls&country=FR",
            "refererUrl",
            vec![("https://www.letter.example/issue", 1, 4000), ("(direct)", 1, 0)],
        ),
        ("groupBy=utm_sources", "utm_source", vec![("news", 2, 4000), ("ads", 1, 1000)]),
        ("groupBy=utm_mediums", "utm_medium", vec![("mail", 2, 4000)]),
        (
            "groupBy=top_urls",
            "url",
            vec![
                ("https://shop.example/news", 2, 4000),
                ("https://shop.example/ads", 1, 1000),
                ("Unknown", 0, 700),
            ],
        ),
        ("groupBy=top_domains", "domain", vec![(workspace.domain.as_str(), 3, 5000)]),
        ("groupBy=countries&country=-FR", "country", vec![("US", 1, 1000)]),
        ("groupBy=countries&utm_source=news", "country", vec![("FR", 2, 4000)]),
        ("groupBy=countries&city=Lyon&device=desktop", "country", vec![("FR", 1, 4000)]),
        ("groupBy=countries&customerId=ext_ada", "country", vec![("FR", 1, 4000)]),
        ("groupBy=countries&key=ads&domain=DOMAIN", "country", vec![("US", 1, 1000)]),
    ] {
        let found = rows(&query.replace("DOMAIN", &workspace.domain), name);
        let found: Vec<(&str, i64, i64)> = found.iter().map(|(key, n, m)| (key.as_str(), *n, *m)).collect();
        assert_eq!(found, expected, "{query}");
    }
    let by_link = workspace.get(&format!("/analytics?event=sales&linkId={news}"));
    assert_eq!((by_link["saleAmount"].as_i64(), by_link["clicks"].as_i64()), (Some(4000), Some(0)));
    series(&workspace);
    summed(&workspace, &news);
    // The same money on the link itself.
    assert_eq!(workspace.get(&format!("/links/{news}"))["saleAmount"], 4000);
    assert_eq!(workspace.get("/links?sortBy=saleAmount")[0]["id"], news);
    for query in
        ["groupBy=moon", "event=likes", "interval=2d", "timezone=Mars/Phobos", "start=soon", "country=UK"]
    {
        refused(&workspace.call("GET", &format!("/analytics?{query}"), None), 422, "unprocessable_entity");
    }
    for query in
        ["linkId=link_1", "externalId=ext_no", "domain=other.example", "folderId=fold_1", "customerId=cus_no"]
    {
        refused(&workspace.call("GET", &format!("/analytics?{query}"), None), 404, "not_found");
    }
    assert_eq!(workspace.get("/analytics/clicks/count"), json!(3));
}

fn series(workspace: &Workspace) {
    for (query, points) in [
        ("interval=24h", 24),
        ("interval=7d", 7),
        ("interval=30d&timezone=America/New_York", 30),
        ("interval=1y", 13),
    ] {
        let found = workspace.get(&format!("/analytics?event=composite&groupBy=timeseries&{query}"));
        let rows = found.as_array().unwrap();
        assert_eq!(rows.len(), points, "{query}");
        let sum = |name: &str| -> i64 { rows.iter().filter_map(|row| row[name].as_i64()).sum() };
        let total = workspace.get(&format!("/analytics?event=composite&{query}"));
        for name in ["clicks", "leads", "sales", "saleAmount"] {
            assert_eq!(Some(sum(name)), total[name].as_i64(), "{query} {name}");
        }
        if query.contains("New_York") {
            let start = rows[0]["start"].as_str().unwrap();
            assert!(start.ends_with("-0400") || start.ends_with("-0500"), "{start}");
            assert!(start.contains("T00:00:00.000"), "{start}");
        }
    }
    let all = workspace.get("/analytics?groupBy=timeseries&interval=all");
    assert_eq!(
        all.as_array().map(|rows| rows.iter().filter_map(|row| row["clicks"].as_i64()).sum()),
        Some(3)
    );
}

#[test]
fn events_are_one_stream_of_the_kind_asked_for() {
    let (workspace, news, _) = story("events");
    let kinds = |query: &str| -> Vec<String> {
        let found = workspace.get(&format!("/events?{query}"));
        found.as_array().unwrap().iter().map(|row| row["event"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(kinds("event=clicks"), ["click"; 3]);
    assert_eq!(kinds("event=leads"), ["lead"; 2]);
    assert_eq!(kinds("event=sales&attributed=true").len(), kinds("event=sales").len() - 1);
    let leads = workspace.get("/events?event=leads&sortOrder=asc");
    let lead = leads.as_array().unwrap().iter().find(|row| row["customer"]["externalId"] == "ada").unwrap();
    assert_eq!((&lead["metadata"]["plan"], &lead["link"]["id"]), (&json!("pro"), &json!(news)));
    assert_eq!((&lead["click"]["country"], &lead["click"]["region"]), (&json!("FR"), &json!("FR-ARA")));
    let sales = workspace.get(&format!("/events?event=sales&linkId={news}"));
    let sale = sales.as_array().unwrap().iter().find(|row| row["sale"]["currency"] == "usd").unwrap();
    assert_eq!((&sale["sale"]["amount"], &sale["saleAmount"]), (&json!(4900), &json!(4000)));
    assert_eq!(sale["customer"]["email"], "ada@shop.example");
    let timestamp = sale["timestamp"].as_str().unwrap();
    assert!(timestamp.ends_with('Z') && timestamp.len() == 24, "{timestamp}");
    // Pages are parts of one list.
    let ids = |query: &str| -> Vec<String> {
        let found = workspace.get(&format!("/events?event=clicks&{query}"));
        found.as_array().unwrap().iter().map(|row| row["click"]["id"].as_str().unwrap().to_owned()).collect()
    };
    let all = ids("");
    assert_eq!([ids("limit=2&page=1"), ids("limit=2&page=2")].concat(), all);
    let mut reversed = ids("sortOrder=asc");
    reversed.reverse();
    assert_eq!(reversed, all);
    for query in ["limit=0", "limit=1001", "page=0", "event=likes", "sortBy=name"] {
        refused(&workspace.call("GET", &format!("/events?{query}"), None), 422, "unprocessable_entity");
    }
}

/// The same answers once the clicks are summed: as hours, then as a day.
fn summed(workspace: &Workspace, news: &str) {
    let questions =
        |queries: &[String]| -> Vec<Value> { queries.iter().map(|query| workspace.get(query)).collect() };
    let queries: Vec<String> = GROUPS
        .iter()
        .flat_map(|group| {
            ["", "&key=ads&domain=DOMAIN", "&linkId=NEWS&timezone=Asia/Kolkata", "&country=FR"]
                .map(|rest| format!("/analytics?event=composite&interval=7d&groupBy={}{rest}", group.name))
        })
        .map(|query| query.replace("DOMAIN", &workspace.domain).replace("NEWS", news))
        .collect();
    let before = questions(&queries);
    for later in [2 * 3_600_000, 2 * 86_400_000] {
        upkeep(now_secs() * 1000 + later, false);
        for (query, (before, after)) in queries.iter().zip(before.iter().zip(questions(&queries))) {
            assert_eq!(before, &after, "{query}");
        }
    }
}
