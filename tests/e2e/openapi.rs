//! The API's document against real answers: every operation is called, every answer fits its schema and has no
//! field that the document does not name; every limit that is written is the limit that is kept.

#![expect(clippy::panic, reason = "a failing step ends the test")]

use std::collections::BTreeSet;

use pimms_cli::clock::now_secs;
use pimms_cli::stripe::{Build, Charge, Customer, Dispute, Event, Invoice, Session, Subscription};
use serde_json::{Value, json};

use crate::hardening::operations::encoded;
use crate::openapi_document::{Document, Operation};
use crate::shared;
use crate::support::Workspace;
use crate::webhook_receiver::Receiver;

/// Calls operations by their documented paths and holds what comes back against the document.
struct Reader {
    document: Document,
    workspace: Workspace,
    called: BTreeSet<String>,
    publishable: String,
}

impl Reader {
    fn new(name: &str) -> Self {
        Self {
            document: Document::read(),
            workspace: Workspace::new(name),
            called: BTreeSet::new(),
            publishable: String::new(),
        }
    }

    fn operation(&self, id: &str) -> Operation<'_> {
        let found = self.document.operations().into_iter().find(|found| found.said["operationId"] == id);
        found.unwrap_or_else(|| panic!("no operation {id}"))
    }

    /// Calls `id`; `parameters` fill the path, and the rest the query. It must succeed.
    fn ask(&mut self, id: &str, parameters: &[(&str, &str)], body: Option<&Value>) -> Value {
        let (status, answer) = self.answered(id, parameters, body);
        assert!((200..300).contains(&status), "{id} {parameters:?}: {status} {answer}\n{}", shared().log());
        self.called.insert(id.to_owned());
        answer
    }

    /// Calls it whatever comes of it; the answer must be a documented one.
    fn answered(&self, id: &str, parameters: &[(&str, &str)], body: Option<&Value>) -> (u16, Value) {
        let operation = self.operation(id);
        if let Some(body) = body {
            let schema = &operation.said["requestBody"]["content"]["application/json"]["schema"];
            let mistakes = self.document.mistakes(schema, body);
            assert!(mistakes.is_empty(), "the body of {id}: {body}: {mistakes:#?}");
        }
        let answer = self.send(&operation, parameters, body);
        (answer.0, self.checked(&operation, parameters, answer))
    }

    fn send(
        &self,
        operation: &Operation<'_>,
        parameters: &[(&str, &str)],
        body: Option<&Value>,
    ) -> (u16, Value) {
        let mut path = operation.path.to_owned();
        let mut query = Vec::new();
        for (name, value) in parameters {
            let value = encoded(value);
            let place = format!("{{{name}}}");
            if path.contains(&place) {
                path = path.replace(&place, &value);
            } else {
                query.push(format!("{name}={value}"));
            }
        }
        assert!(!path.contains('{'), "{path} is not filled");
        let path = format!("{}{path}?{}", operation.base, query.join("&"));
        let method = operation.method.to_uppercase();
        let mut request = shared().client().request(&method, &path).bearer(
            if operation.said["security"][0]["PublishableKey"].is_array() {
                &self.publishable
            } else {
                &self.workspace.key
            },
        );
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().unwrap();
        if operation.said.get("security").is_none() && answer.status != 401 {
            for name in ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"] {
                assert!(answer.header(name).is_some(), "{method} {path}: no {name}");
            }
        }
        let kind = answer.header("content-type").unwrap_or_default();
        let is_picture =
            operation.said["responses"][answer.status.to_string()]["content"].get(kind).is_some();
        (answer.status, if is_picture && kind != "application/json" { Value::Null } else { answer.json() })
    }

    fn checked(
        &self,
        operation: &Operation<'_>,
        parameters: &[(&str, &str)],
        (status, answer): (u16, Value),
    ) -> Value {
        let place = format!("{} {} {parameters:?}", operation.method, operation.path);
        let documented = operation.said["responses"].get(status.to_string());
        let documented =
            documented.unwrap_or_else(|| panic!("{place} is answered {status}, undocumented: {answer}"));
        let content = &self.document.resolved(documented)["content"]["application/json"];
        if content.is_null() {
            assert!(answer.is_null(), "{place}: {status} {answer}");
            return answer;
        }
        let mistakes = self.document.mistakes(&content["schema"], &answer);
        assert!(mistakes.is_empty(), "{place}: {status} {answer}\n{mistakes:#?}");
        answer
    }
}

fn id(value: &Value) -> String {
    value["id"].as_str().unwrap_or_else(|| panic!("{value} has no id")).to_owned()
}

fn outbound(api: &mut Reader) {
    let receiver = Receiver::start();
    let body = json!({"name": "Shop", "url": receiver.url("/documented"), "triggers": ["link.created"]});
    let webhook = id(&api.ask("createWebhook", &[], Some(&body)));
    let named = [("id", webhook.as_str())];
    api.ask("getWebhook", &named, None);
    api.ask("updateWebhook", &named, Some(&json!({"name": "Other", "allLinks": true})));
    api.ask("listWebhooks", &[], None);
    api.ask("enableWebhook", &named, None);
    api.ask("rotateWebhookSecret", &named, None);
    api.ask("testWebhook", &named, Some(&json!({"trigger": "sale.created"})));
    api.ask("createLink", &[], Some(&json!({"url": "https://acme.com/told"})));
    receiver.wait("/documented", 2);
    let log = api.ask("listWebhookEvents", &named, None);
    let event = log[0]["event_id"].as_str().unwrap();
    api.ask("redeliverWebhookEvent", &[("id", webhook.as_str()), ("eventId", event)], None);
    api.ask("deleteWebhook", &named, None);
}

#[test]
fn every_operation_answers_as_documented() {
    let mut api = Reader::new("documented");
    links(&mut api);
    labels_and_domains(&mut api);
    settings(&mut api);
    outbound(&mut api);
    let story = happened(&mut api);
    reports(&mut api, &story);
    api.ask("getHealth", &[], None);
    api.ask("getMetrics", &[], None);
    // What others do to this instance may make it red; that is an answer like another.
    api.answered("getHealthTable", &[], None);
    api.called.insert("getHealthTable".to_owned());
    api.ask("getQrCode", &[("url", "https://acme.com"), ("fgColor", "#123")], None);
    api.ask("getQrCode", &[("url", "acme.com"), ("format", "svg"), ("logo", "https://acme.com/l.png")], None);
    // Private addresses are not asked, so nothing leaves this machine.
    api.ask("getMetatags", &[("url", "http://127.0.0.1/")], None);
    api.ask("checkFrame", &[("url", "http://127.0.0.1/"), ("domain", "go.acme.com")], None);
    api.ask("getLinkMetatags", &[("url", "http://10.0.0.1/")], None);
    api.ask("eraseCustomer", &[("id", &story.customer)], None);
    // What Stripe calls is signed, and goes another way.
    let signed = ["deliverStripeEvent", "deliverConnectEvent"];
    let documented: BTreeSet<String> = api
        .document
        .operations()
        .iter()
        .map(|o| o.said["operationId"].as_str().unwrap().to_owned())
        .collect();
    let never: Vec<&String> =
        documented.difference(&api.called).filter(|id| !signed.contains(&id.as_str())).collect();
    assert!(never.is_empty(), "not called: {never:?}");
    for id in signed {
        let path = [("workspaceId", api.workspace.id.as_str())];
        let (status, _) = api.answered(id, if id == signed[0] { &path } else { &[] }, Some(&json!({})));
        assert_eq!(status, 400, "{id}");
    }
}

/// RFC 9110, 15.5.6.
#[test]
fn a_wrong_method_is_told_the_right_ones() {
    let acme = Workspace::new("methods");
    for (method, path, allowed) in [
        ("DELETE", "/api/links", "GET, POST"),
        ("POST", "/api/links/some-id", "GET, PUT, PATCH, DELETE"),
        ("POST", "/api/qr", "GET, OPTIONS"),
        ("GET", "/api/webhooks/a/events/b/redeliver", "POST"),
        ("PUT", "/api/health", "GET"),
        ("GET", "/stripe/webhook", "POST"),
        ("GET", "/api/track/click", "POST, OPTIONS"),
        ("DELETE", "/launch", "GET, HEAD, POST"),
    ] {
        let request = shared().client().request(method, path).header("x-pimms-host", &acme.domain);
        let answer = request.bearer(&acme.key).send().unwrap();
        assert_eq!((answer.status, answer.header("allow")), (405, Some(allowed)), "{method} {path}");
        assert_eq!(answer.json()["error"]["code"], "method_not_allowed", "{method} {path}");
    }
    let known = shared().client().get("/api/links").bearer(&acme.key).send().unwrap();
    assert_eq!((known.status, known.header("allow")), (200, None));
    let nowhere = shared().client().post("/api/nothing").bearer(&acme.key).send().unwrap();
    assert_eq!((nowhere.status, nowhere.header("allow")), (404, None));
}

fn links(api: &mut Reader) {
    let folder = id(&api.ask("createFolder", &[], Some(&json!({"name": "Spring", "description": "x"}))));
    let tag = id(&api.ask("createTag", &[], Some(&json!({"name": "News"}))));
    let mut whole = json!({
        "url": "https://acme.com/x", "key": "whole", "externalId": "ext_e1", "tenantId": "t", "programId": "p",
        "partnerId": "a", "folderId": folder, "tagIds": [tag], "webhookIds": ["wh_1"], "trackConversion": true,
        "archived": false, "disabled": true, "isConversionCallback": false, "leadMagnetEnabled": true,
        "publicStats": true, "proxy": true, "rewrite": false, "doIndex": true, "noInspect": true, "password": "secret",
        "expiresAt": "2040-01-01", "expiredUrl": "https://acme.com/over", "maxClicks": 100, "title": "T",
        "description": "D", "image": "https://acme.com/i.png", "video": "https://acme.com/v.mp4", "comments": "C",
        "utm_source": "s", "utm_medium": "m", "utm_campaign": "c", "utm_term": "t", "utm_content": "n", "ref": "r"
    });
    let targets = json!({
        "ios": "https://acme.com/ios", "android": "https://acme.com/android", "geo": {"FR": "https://acme.fr"},
        "testVariants": [{"url": "https://acme.com/1", "percentage": 50}, {"url": "https://acme.com/2", "percentage": 50}],
        "testStartedAt": "2030-01-01T00:00:00Z", "testCompletedAt": "2040-01-01T00:00:00Z",
        "rules": [{"url": "https://acme.com/r", "conditions": [
            {"language": "fr"}, {"query": {"name": "a", "value": "b"}}, {"query": {"name": "c"}}, {"after": 1},
            {"before": 9_999_999_999_999_i64}, {"browser": "Chrome"}, {"device": "ios"}, {"country": "FR"}]}]
    });
    whole.as_object_mut().unwrap().extend(targets.as_object().unwrap().clone());
    let made = api.ask("createLink", &[], Some(&whole));
    let link = id(&made);
    assert_eq!(made["rules"], whole["rules"]);
    api.ask("createLink", &[], Some(&json!({"url": "https://acme.com/y", "prefix": "a", "keyLength": 5})));
    for name in [link.as_str(), "ext_e1"] {
        api.ask("getLink", &[("id", name)], None);
    }
    api.ask("getLinkInfo", &[("linkId", &link)], None);
    let page = id(&api.ask("getLinkDashboard", &[("id", &link)], None));
    let listed = api.ask("listLinks", &[("includeDashboard", "true"), ("linkIds", &link)], None);
    assert_eq!(listed[0]["dashboardId"], page.as_str());
    assert_eq!(api.ask("getPublicPage", &[("id", &page)], None)["key"], "whole");
    for group in ["count", "timeseries", "countries", "cities", "referers"] {
        api.ask("getPublicPageAnalytics", &[("id", &page), ("groupBy", group)], None);
    }
    api.ask("updateLink", &[("id", &link)], Some(&json!({"disabled": false, "geo": null, "rules": null})));
    api.ask("updateLinkPut", &[("id", &link)], Some(&json!({"title": null, "password": null})));
    api.ask("upsertLink", &[], Some(&json!({"url": "https://acme.com/z"})));
    let many = api.ask(
        "createLinks",
        &[],
        Some(&json!([{"url": "https://acme.com/1"}, {"url": "https://acme.com/2", "key": "whole"}])),
    );
    assert_eq!(many[1]["code"], "conflict");
    api.ask("updateLinks", &[], Some(&json!({"linkIds": [link, "none"], "data": {"comments": "x"}})));
    api.ask("updateLinks", &[], Some(&json!({"linkIds": [], "data": {}})));
    api.ask("listLinks", &[("showArchived", "true"), ("folderId", &folder), ("tagIds", &tag)], None);
    api.ask("countLinks", &[], None);
    for group in
        ["domain", "tagId", "folderId", "url", "utm_source", "utm_medium", "utm_campaign", "utm_term"]
    {
        let rows = api.ask("countLinks", &[("groupBy", group), ("search", "acme.com")], None);
        assert!(rows.as_array().is_some_and(|rows| !rows.is_empty()), "{group}");
    }
    api.ask("getRandomKey", &[], None);
    api.ask("checkKey", &[("key", "free")], None);
    assert_eq!(api.answered("checkKey", &[("key", "whole")], None).0, 409);
    assert_eq!(api.answered("checkKey", &[("key", "api")], None).0, 403);
    let other = Workspace::new("documented-other");
    let body = json!({"newWorkspaceId": other.id, "newWorkspaceKey": other.key, "domain": other.domain});
    let going = id(&api.ask("createLink", &[], Some(&json!({"url": "https://acme.com/t"}))));
    api.ask("transferLink", &[("id", &going)], Some(&body));
    api.ask("deleteLinks", &[("linkIds", &id(&many[0]))], None);
    api.ask("deleteLink", &[("id", &link)], None);
}

fn labels_and_domains(api: &mut Reader) {
    let tag = id(&api.ask("createTag", &[], Some(&json!({"name": "Second", "color": "red"}))));
    api.ask("updateTag", &[("id", &tag)], Some(&json!({"name": "Third"})));
    api.ask("updateTagPut", &[("id", &tag)], Some(&json!({"tag": "Fourth", "color": "blue"})));
    api.ask("listTags", &[("includeLinksCount", "true")], None);
    api.ask("listTags", &[], None);
    api.ask("countTags", &[("search", "our")], None);
    api.ask("deleteTag", &[("id", &tag)], None);
    let template = json!({"name": "Letter", "utm_source": "letter", "utm_medium": null});
    let template = id(&api.ask("createUtmTemplate", &[], Some(&template)));
    api.ask("updateUtmTemplate", &[("id", &template)], Some(&json!({"utm_term": "t"})));
    api.ask(
        "updateUtmTemplatePut",
        &[("id", &template)],
        Some(&json!({"utm_campaign": "c", "utm_content": "n"})),
    );
    api.ask("getUtmTemplate", &[("id", &template)], None);
    api.ask("listUtmTemplates", &[("search", "LETTER"), ("ids", &template)], None);
    api.ask("deleteUtmTemplate", &[("id", &template)], None);
    let folder = id(&api.ask("createFolder", &[], Some(&json!({"name": "Second", "accessLevel": "read"}))));
    api.ask("updateFolder", &[("id", &folder)], Some(&json!({"accessLevel": null})));
    api.ask("getFolder", &[("id", &folder)], None);
    api.ask("listFolders", &[("includeLinkCount", "true")], None);
    api.ask("countFolders", &[], None);
    api.ask("deleteFolder", &[("id", &folder)], None);
    let slug = format!("second.{}", api.workspace.domain);
    let body = json!({"slug": slug, "notFoundUrl": "https://acme.com/none", "expiredUrl": "https://acme.com/over",
        "logo": "https://acme.com/logo.png", "placeholder": "p", "assetLinks": "[]", "appleAppSiteAssociation": "{}"});
    api.ask("createDomain", &[], Some(&body));
    api.ask("updateDomain", &[("slug", &slug)], Some(&json!({"archived": true, "logo": null})));
    api.ask("makeDomainPrimary", &[("slug", &slug)], None);
    api.ask("getDomain", &[("slug", &slug)], None);
    api.ask("verifyDomain", &[("slug", &slug)], None);
    api.ask("listDomains", &[("archived", "true")], None);
    api.ask("countDomains", &[], None);
    let first = api.workspace.domain.clone();
    api.ask("makeDomainPrimary", &[("slug", &first)], None);
    api.ask("deleteDomain", &[("slug", &slug)], None);
    let (other, gone) = (Workspace::new("documented-third"), format!("gone.{first}"));
    api.ask("createDomain", &[], Some(&json!({"slug": gone})));
    let body = json!({"newWorkspaceId": other.id, "newWorkspaceKey": other.key});
    api.ask("transferDomain", &[("slug", &gone)], Some(&body));
}

fn settings(api: &mut Reader) {
    let workspace = api.workspace.id.clone();
    api.ask("listWorkspaces", &[], None);
    let body = json!({"name": "Acme", "logo": "https://acme.com/l.png", "currency": "eur",
        "allowedHostnames": ["acme.com", "*.acme.com"]});
    api.ask("updateWorkspace", &[("idOrSlug", &workspace)], Some(&body));
    api.ask("getWorkspace", &[("idOrSlug", &workspace)], None);
    let token = api.ask("createToken", &[], Some(&json!({"name": "k", "scopes": "links.read, tags.write"})));
    let token = id(&token);
    let page = api.ask("createToken", &[], Some(&json!({"name": "p", "publishable": true})));
    page["token"].as_str().unwrap().clone_into(&mut api.publishable);
    api.ask("updateWorkspace", &[("idOrSlug", &workspace)], Some(&json!({"allowedHostnames": []})));
    api.ask("listTokens", &[], None);
    api.ask("getToken", &[("id", &token)], None);
    api.ask("updateToken", &[("id", &token)], Some(&json!({"rateLimit": 5, "expiresAt": "2040-01-01"})));
    api.ask("deleteToken", &[("id", &token)], None);
    api.ask("getFxRates", &[], None);
    api.ask(
        "setFxRates",
        &[],
        Some(&json!({"date": "2030-01-02", "rates": {"JPY": 150, "EUR": "0.92", "GBP": null}})),
    );
    api.ask("getStripe", &[], None);
    api.ask("setStripe", &[], Some(&json!({"accounts": ["acct_documented"]})));
}

/// What there is to report on.
struct Story {
    link: String,
    customer: String,
    sale: String,
}

/// A click, leads, sales of all kinds, what undoes them, and what waits.
fn happened(api: &mut Reader) -> Story {
    let (link, click) = api.workspace.clicked("story");
    let now = now_secs();
    let lead = json!({"externalId": "u1", "clickId": click, "eventName": "Sign up", "customerName": "Ada Lovelace",
        "customerEmail": "ada@shop.example", "customerAvatar": "https://shop.example/a.png",
        "metadata": {"plan": "pro"}, "eventQuantity": 2, "mode": "wait"});
    api.ask("trackLead", &[], Some(&lead));
    api.ask(
        "trackLeadFromPage",
        &[],
        Some(&json!({"externalId": "u4", "clickId": click, "eventName": "Page"})),
    );
    api.ask("trackSaleFromPage", &[], Some(&json!({"externalId": "u4", "amount": 5})));
    let domain = api.workspace.domain.clone();
    let report = json!({"domain": domain, "key": "story", "url": "https://shop.example/?via=story",
        "referrer": "https://news.example/", "anonymous": false, "model": "last-click"});
    api.ask("reportClick", &[], Some(&report));
    assert_eq!(api.answered("reportClick", &[], Some(&json!({"domain": domain, "key": "none"}))).0, 404);
    api.ask("reportVisit", &[], Some(&json!({"domain": domain, "url": "https://shop.example/none"})));
    api.ask("reportOpen", &[], Some(&json!({"deepLink": format!("https://{domain}/story")})));
    api.ask("reportOpen", &[], Some(&json!({"dubDomain": domain})));
    api.ask("keepClick", &[], Some(&json!({"clickId": click})));
    api.ask("trackLead", &[], Some(&json!({"externalId": "u2", "clickId": click, "eventName": "Sign up"})));
    let sale = json!({"externalId": "u1", "amount": 300, "currency": "USD", "invoiceId": "INV_1",
        "paymentProcessor": "paddle", "eventName": "Extra", "metadata": {"a": [1, {"b": null}]}});
    api.ask("trackSale", &[], Some(&sale));
    api.ask("trackSale", &[], Some(&json!({"externalId": "u1", "amount": 100, "currency": "zmk"})));
    api.ask("trackSale", &[], Some(&json!({"externalId": "nobody-yet", "amount": 1, "invoiceId": "INV_2"})));
    let unknown = json!({"externalId": "u3", "clickId": "none", "eventName": "Sign up"});
    assert_eq!(api.answered("trackLead", &[], Some(&unknown)).0, 404);
    let workspace = api.workspace.clone();
    let send = |kind: &str, object: pimms_cli::stripe::Object, at: i64| {
        workspace.stripe(&Event::new(kind, object).at(now + at));
    };
    send("customer.created", Customer::new("cus_1").metadata("pimmsCustomerId", "u1").into(), 0);
    let session =
        Session::paid("cs_1").amount(4900, "usd").intent("pi_1").customer("cus_1").external_id("u1");
    send("checkout.session.completed", session.presented(700_000, "jpy").into(), 1);
    let charge = Charge::succeeded("ch_1").intent("pi_1").customer("cus_1").amount(4900, "usd").refunded(900);
    send("charge.refunded", charge.into(), 2);
    let dispute = Dispute::opened("dp_1", "ch_1").intent("pi_1").amount(1000, "usd");
    send("charge.dispute.funds_withdrawn", dispute.into(), 3);
    let active = Subscription::active("sub_1").customer("cus_1").price(2000, "usd", "month");
    send("customer.subscription.created", active.into(), 4);
    let invoice = Invoice::paid("in_1").customer("cus_1").amount(2000, "usd");
    send("invoice.paid", invoice.subscription("sub_1", "subscription_create").into(), 5);
    // Somebody nobody knows; money that waits; an event that cannot be used.
    send("invoice.paid", Invoice::paid("in_2").customer("cus_2").amount(500, "usd").into(), 6);
    send(
        "charge.refunded",
        Charge::succeeded("ch_9").intent("pi_9").amount(2000, "usd").refunded(500).into(),
        7,
    );
    send("checkout.session.completed", Session::paid("cs_9").amount(-5, "usd").intent("pi_8").into(), 8);
    let customers = workspace.settles("/customers?externalId=u1", |found| found[0]["sales"] == 4);
    workspace.settles("/parked", |rows| rows.as_array().is_some_and(|rows| rows.len() >= 2));
    workspace.settles("/events?event=clicks", |rows| rows.as_array().is_some_and(|rows| !rows.is_empty()));
    Story { link, customer: id(&customers[0]), sale: "cs_1".to_owned() }
}

fn reports(api: &mut Reader, story: &Story) {
    api.ask("listCustomers", &[("sortBy", "saleAmount"), ("search", "ada")], None);
    api.ask("countCustomers", &[], None);
    for group in ["country", "linkId"] {
        api.ask("countCustomers", &[("groupBy", group)], None);
    }
    let shown = api.ask("getCustomer", &[("id", &story.customer)], None);
    for list in ["leads", "sales", "refunds", "subscriptions", "touchpoints"] {
        assert!(shown[list].as_array().is_some_and(|list| !list.is_empty()), "{list}: {shown}");
    }
    let done = api.ask("getCustomerActivity", &[("id", &story.customer)], None);
    assert!(
        done["timeToLead"].is_i64() && done["events"].as_array().is_some_and(|rows| rows.len() > 4),
        "{done}"
    );
    api.ask("listCustomerClicks", &[("id", &story.customer)], None);
    let told = api.ask("exportCustomer", &[("id", &story.customer)], None);
    assert!(told["facts"].as_array().is_some_and(|facts| !facts.is_empty()), "{told}");
    let body = json!({"externalId": "made", "name": "M", "email": "m@shop.example", "country": "FR",
        "avatar": "https://shop.example/m.png", "stripeCustomerId": "cus_m"});
    let made = id(&api.ask("createCustomer", &[], Some(&body)));
    api.ask("updateCustomer", &[("id", &made)], Some(&json!({"name": null, "country": "DE"})));
    api.ask("updateCustomerPut", &[("id", "ext_made")], Some(&json!({"avatar": null})));
    let sale = api.ask("getSale", &[("id", &story.sale)], None);
    assert!(sale["link"].is_object() && sale["customer"].is_object(), "{sale}");
    assert!(
        sale["receipt"]["presentment"].is_object() && sale["receipt"]["disputes"][0].is_object(),
        "{sale}"
    );
    for reference in ["INV_1", "in_1", "in_2", "pi_1"] {
        api.ask("getSale", &[("id", reference)], None);
    }
    api.ask("getLink", &[("id", &story.link)], None);
    for event in ["clicks", "leads", "sales", "refunds", "disputes", "all"] {
        // The projection follows within moments.
        let some = |rows: &Value| rows.as_array().is_some_and(|rows| !rows.is_empty());
        api.workspace.settles(&format!("/events?event={event}"), some);
        let rows = api.ask("listEvents", &[("event", event), ("limit", "1000")], None);
        assert!(rows.as_array().is_some_and(|rows| !rows.is_empty()), "{event}");
    }
    let funnel = api.ask("getFunnel", &[("interval", "all")], None);
    assert!(funnel["timeToLead"]["mean"].is_i64(), "{funnel}");
    let cohorts = api.ask("getCohorts", &[("interval", "all")], None);
    assert!(cohorts["cohorts"][0]["months"][0]["ltv"].is_string(), "{cohorts}");
    for group in pimms_edge::core::reports::lifetime::GROUPINGS {
        let worths = api.ask("getLifetimeValues", &[("interval", "all"), ("groupBy", group)], None);
        assert!(worths["rows"][0]["customers"].is_i64(), "{worths}");
    }
    for export in ["exportEvents", "exportSales", "exportLinks", "exportCustomers"] {
        for format in ["csv", "ndjson"] {
            api.ask(export, &[("format", format)], None);
        }
    }
    let group = api.document.whole["components"]["schemas"]["Grouping"].clone();
    for group in group["enum"].as_array().unwrap() {
        let group = group.as_str().unwrap();
        for event in ["clicks", "composite"] {
            api.ask("getAnalytics", &[("event", event), ("groupBy", group)], None);
            api.ask("getAnalyticsByEventAndGroup", &[("event", event), ("groupBy", group)], None);
        }
        api.ask("getAnalyticsByEvent", &[("eventOrGroup", group)], None);
    }
    for model in ["first", "linear", "position", "decay"] {
        api.ask("getAnalytics", &[("event", "sales"), ("model", model), ("groupBy", "top_links")], None);
    }
    let totals = api.ask("getTotals", &[], None);
    assert!(totals["live"]["links"][&story.link]["net"]["usd"].is_i64(), "{totals}");
    let entries = api.ask("listEntries", &[], None);
    assert!(entries.as_array().is_some_and(|rows| rows.len() > 4), "{entries}");
    let parked = api.ask("listParked", &[], None);
    let kinds: BTreeSet<&str> =
        parked.as_array().unwrap().iter().map(|row| row["kind"].as_str().unwrap()).collect();
    assert!(kinds.contains("event") && kinds.contains("refund"), "{parked}");
    api.ask("listStripeEvents", &[("limit", "1000")], None);
    api.ask("rebuildLedger", &[], None);
    let customers = "/customers?externalId=u1";
    api.workspace.settles(customers, |found| found[0]["sales"] == 4 && found[0]["id"] == *story.customer);
}

/// The limits of a schema and a value just past each.
fn past(schema: &Value) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(max) = schema["maxLength"].as_u64() {
        found.push("x".repeat(usize::try_from(max).unwrap() + 1));
    }
    if let Some(max) = schema["maximum"].as_i64() {
        found.push((max + 1).to_string());
    }
    if let Some(min) = schema["minimum"].as_i64() {
        found.push((min - 1).to_string());
    }
    if let Some(max) = schema["maxItems"].as_u64() {
        found.push(vec!["x"; usize::try_from(max).unwrap() + 1].join(","));
    }
    if schema["enum"].is_array() {
        found.push("none-of-these".to_owned());
    }
    match schema["type"].as_str() {
        Some("boolean") => found.push("perhaps".to_owned()),
        Some("integer") => found.extend(["1.5".to_owned(), "one".to_owned()]),
        _ => {}
    }
    found
}

#[test]
fn every_limit_of_a_parameter_is_kept() {
    let api = Reader::new("limits");
    let mut count = 0;
    for operation in api.document.operations() {
        let id = operation.said["operationId"].as_str().unwrap();
        // By path, the words of the path win over those of the query.
        if operation.method != "get" || operation.path.starts_with("/analytics/") {
            continue;
        }
        let parameters = api.document.parameters(&operation);
        let mut given: Vec<(&str, &str)> = Vec::new();
        for parameter in &parameters {
            if parameter["in"] == "path" {
                given.push((parameter["name"].as_str().unwrap(), "none"));
            }
        }
        for parameter in parameters.iter().filter(|found| found["in"] == "query" && found["required"] == true)
        {
            given.push((parameter["name"].as_str().unwrap(), "free"));
        }
        for parameter in parameters.iter().filter(|found| found["in"] == "query") {
            let name = parameter["name"].as_str().unwrap();
            // Whether there is such a thing is asked before anything else is read.
            if operation.path.contains('{') {
                continue;
            }
            for value in past(api.document.resolved(&parameter["schema"])) {
                let mut given = given.clone();
                // A key means something beside its domain only, and a link is looked for before the mode is read.
                match (operation.path, name) {
                    ("/links/info", "mode") => continue,
                    (_, "key") => given = vec![("domain", api.workspace.domain.as_str())],
                    _ => given.retain(|(known, _)| *known != name),
                }
                given.push((name, &value));
                let (status, answer) = api.answered(id, &given, None);
                let short: String = value.chars().take(30).collect();
                assert_eq!(status, 422, "{id}: {name}={short}: {answer}");
                count += 1;
            }
        }
    }
    assert!(count > 100, "{count}");
}

#[test]
fn every_limit_of_a_body_is_kept() {
    let mut api = Reader::new("body-limits");
    let template = id(&api.ask("createUtmTemplate", &[], Some(&json!({"name": "Letter"}))));
    // Most operations read the body before they look for what it is about.
    let link = id(&api.ask("createLink", &[], Some(&json!({"url": "https://acme.com"}))));
    let domain = api.workspace.domain.clone();
    let named = |path: &str| match path {
        path if path.starts_with("/utm-templates") => template.as_str(),
        "/links/{id}/transfer" => link.as_str(),
        "/domains/{slug}/transfer" => domain.as_str(),
        _ => "none",
    };
    let mut count = 0;
    for operation in api.document.operations() {
        let content = &operation.said["requestBody"]["content"]["application/json"];
        let is_with_key = operation.said.get("security").is_none();
        if !is_with_key || !content["example"].is_object() || operation.path == "/links/bulk" {
            continue;
        }
        let mut schema = content["schema"].clone();
        if schema["$ref"].is_string() {
            schema = api.document.resolved(&schema).clone();
        }
        let parameters: Vec<(&str, &str)> = api
            .document
            .parameters(&operation)
            .iter()
            .filter(|found| found["in"] == "path")
            .map(|found| (found["name"].as_str().unwrap(), named(operation.path)))
            .collect();
        for (name, schema) in schema["properties"].as_object().unwrap() {
            for wrong in wrong_values(schema) {
                let mut body = content["example"].clone();
                body[name] = wrong.clone();
                if name == "tag" || name == "tagId" {
                    body.as_object_mut().unwrap().remove(if name == "tag" { "name" } else { "tagIds" });
                }
                let answer = api.send(&operation, &parameters, Some(&body));
                let answer = (answer.0, api.checked(&operation, &parameters, answer));
                let short: String = wrong.to_string().chars().take(30).collect();
                assert_eq!(
                    answer.0, 422,
                    "{} {}: {name}: {short}: {}",
                    operation.method, operation.path, answer.1
                );
                let message = answer.1["error"]["message"].as_str().unwrap();
                assert!(message.contains(name), "{} {}: {name}: {message}", operation.method, operation.path);
                count += 1;
            }
        }
    }
    assert!(count > 200, "{count}");
}

/// Values that a schema refuses: past its limits, and of another type.
fn wrong_values(schema: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    let kind = match &schema["type"] {
        Value::String(kind) => kind.as_str(),
        Value::Array(kinds) => kinds[0].as_str().unwrap(),
        _ => return found,
    };
    match kind {
        "string" => {
            found.extend([json!(1), json!(true)]);
            if let Some(max) = schema["maxLength"].as_u64() {
                found.push("x".repeat(usize::try_from(max).unwrap() + 1).into());
            }
            if schema["enum"].is_array() {
                found.push("none-of-these".into());
            }
            if schema["minLength"].as_u64().is_some_and(|min| min > 0) {
                found.push("".into());
            }
        }
        "integer" => {
            found.extend([json!("1"), json!(1.5)]);
            for (limit, by) in [("maximum", 1), ("minimum", -1)] {
                if let Some(limit) = schema[limit].as_i64() {
                    found.push(json!(limit + by));
                }
            }
        }
        "boolean" => found.extend([json!("true"), json!(1)]),
        "object" => found.extend([json!("x"), json!([])]),
        "array" => {
            found.extend([json!("x"), json!({})]);
            if let Some(max) = schema["maxItems"].as_u64() {
                found.push(vec![json!({}); usize::try_from(max).unwrap() + 1].into());
            }
        }
        _ => {}
    }
    found
}

#[test]
fn the_document_and_its_page_are_served() {
    let client = shared().client();
    let answer = client.get("/api/openapi.json").send().unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json(), Document::read().whole, "what is served is what the sources say");
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert!(answer.header("cache-control").is_some_and(|text| text.contains("max-age")));
    let etag = answer.header("etag").unwrap().to_owned();
    assert_eq!(client.get("/api/openapi.json").header("if-none-match", &etag).send().unwrap().status, 304);

    let page = client.get("/api/docs").send().unwrap();
    assert_eq!(page.status, 200);
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"), "{policy}");
    let html = page.text();
    assert!(
        !html.contains("<script") && !html.contains("style=") && !html.contains("://cdn"),
        "nothing inline"
    );
    for operation in Document::read().operations() {
        let id = operation.said["operationId"].as_str().unwrap();
        assert!(html.contains(&format!("<article id=\"{id}\">")), "{id}");
        assert!(html.contains(&format!("href=\"#{id}\"")), "{id}");
    }
    assert_eq!(
        client.get("/api/docs.css").send().unwrap().header("content-type"),
        Some("text/css; charset=utf-8")
    );
}
