//! Confined parameters, pages, targeting, variants, hand-offs, and answers without a link.

use super::*;

#[test]
fn redir_url_stays_with_the_owner() {
    let stays = |query: &str| {
        let found = answer(r#""u":"https://shop.acme.com/x""#, &format!("/launch?redir_url={query}"));
        found.split(' ').nth(1).unwrap().to_owned()
    };
    for (wanted, expected) in [
        ("https://acme.com/other", "https://acme.com/other?pimms_id=ID"),
        ("https%3A%2F%2Fshop.acme.com%2Fother%3Fa%3D1", "https://shop.acme.com/other?a=1&pimms_id=ID"),
        ("blog.acme.com/a", "https://blog.acme.com/a?pimms_id=ID"),
        ("https://evil.com", "https://shop.acme.com/x?pimms_id=ID"),
        ("//evil.com", "https://shop.acme.com/x?pimms_id=ID"),
        ("https:evil.com", "https://shop.acme.com/x?pimms_id=ID"),
        ("%5C%5Cevil.com", "https://shop.acme.com/x?pimms_id=ID"),
        ("/%5Cevil.com", "https://shop.acme.com/x?pimms_id=ID"),
        ("https://shop.acme.com@evil.com/", "https://shop.acme.com/x?pimms_id=ID"),
        ("https://user:pw@shop.acme.com/", "https://shop.acme.com/x?pimms_id=ID"),
        ("https://acme.com.evil.com/", "https://shop.acme.com/x?pimms_id=ID"),
        ("https://evil.com%23.acme.com/", "https://shop.acme.com/x?pimms_id=ID"),
        ("https://evil.com%3F.acme.com/", "https://shop.acme.com/x?pimms_id=ID"),
        ("http://acme.com/", "https://shop.acme.com/x?pimms_id=ID"),
        ("https://acme.com:8443/", "https://shop.acme.com/x?pimms_id=ID"),
        ("javascript:alert(1)//acme.com", "https://shop.acme.com/x?pimms_id=ID"),
        ("%09javascript:alert(1)", "https://shop.acme.com/x?pimms_id=ID"),
        ("data:text/html,acme.com", "https://shop.acme.com/x?pimms_id=ID"),
        ("", "https://shop.acme.com/x?pimms_id=ID"),
    ] {
        assert_eq!(stays(wanted), expected, "{wanted}");
    }
    let thank_you = |query: &str| answer(r#""k":"a/thankyou""#, &format!("/a/thankyou?{query}"));
    assert!(
        thank_you("pimms_redirect=https://evil.com").starts_with("302 https://acme.com/?pimms_redirected=1 ")
    );
}

#[test]
fn pages_of_the_link() {
    let preview = r#""n":"My title","s":"Text","o":{"proxy":true,"image":"https://i.com/a.png"}"#;
    check(&[
        (
            "bots see the preview",
            preview,
            "/launch | ua=facebook",
            "200 \"My title\" +pimms_id_launch@/launch +pimms_id@acme.com/ +pimms_anonymous_id@/ recorded https://acme.com/",
        ),
        (
            "who says so is one",
            preview,
            "/launch?bot=1",
            "200 \"My title\" +pimms_id_launch@/launch +pimms_id@acme.com/ +pimms_anonymous_id@/ recorded https://acme.com/",
        ),
        ("people do not", preview, "/launch", PLAIN),
        (
            "a preview is never indexed",
            r#""n":"T","o":{"proxy":true,"doIndex":true}"#,
            "/launch | ua=googlebot",
            "200 \"T\" +pimms_id_launch@/launch +pimms_id@acme.com/ +pimms_anonymous_id@/ recorded https://acme.com/",
        ),
        (
            "without title the domain stands for it",
            r#""o":{"proxy":true}"#,
            "/launch | ua=googlebot",
            "200 \"go.acme.com\" +pimms_id_launch@/launch +pimms_id@acme.com/ +pimms_anonymous_id@/ recorded https://acme.com/",
        ),
        (
            "cloaked",
            r#""o":{"rewrite":true}"#,
            "/launch",
            &format!("{} recorded https://acme.com/", plain("200 frame https://acme.com/?pimms_id=ID")),
        ),
        (
            "cloaked, for bots with a preview",
            r#""n":"T","o":{"rewrite":true,"proxy":true}"#,
            "/launch | ua=facebook",
            "200 \"T\" +pimms_id_launch@/launch +pimms_id@acme.com/ +pimms_anonymous_id@/ recorded https://acme.com/",
        ),
        (
            "cloaked comes before targeting",
            r#""o":{"rewrite":true,"ios":"https://ios.com/"}"#,
            "/launch | ua=iphone",
            &format!("{} recorded https://acme.com/", plain("200 frame https://acme.com/?pimms_id=ID")),
        ),
        (
            "cloaked script",
            r#""u":"javascript:alert(1)","o":{"rewrite":true}"#,
            "/launch",
            "ask domain: no link",
        ),
        (
            "a root that leads nowhere",
            r#""k":"_root","u":"""#,
            "/",
            "200 \"go.acme.com\" +pimms_id__root@/ +pimms_anonymous_id@/ recorded ",
        ),
        (
            "mail",
            r#""u":"mailto:ada@acme.com?subject=a+b""#,
            "/launch",
            "200 refresh mailto:ada@acme.com?subject=a%20b then mailto:ada@acme.com?subject=a%20b +pimms_id_launch@/launch +pimms_anonymous_id@/ recorded mailto:ada@acme.com?subject=a+b",
        ),
        (
            "telephone",
            r#""u":"tel:+33123""#,
            "/launch?utm_source=x",
            "200 refresh tel:+33123 then tel:+33123 +pimms_id_launch@/launch +pimms_anonymous_id@/ recorded tel:+33123",
        ),
        (
            "Telegram",
            r#""u":"tg://resolve?domain=acme""#,
            "/launch",
            "200 refresh tg://resolve?domain=acme then tg://resolve?domain=acme +pimms_id_launch@/launch +pimms_anonymous_id@/ recorded tg://resolve?domain=acme",
        ),
        (
            "an indexable one is a redirect",
            r#""u":"sms:+33123","o":{"doIndex":true}"#,
            "/launch",
            "302 sms:+33123 shown +pimms_id_launch@/launch +pimms_anonymous_id@/ recorded sms:+33123",
        ),
        (
            "thank you: no click, and the one that the visitor holds stays",
            r#""k":"a/thankyou""#,
            "/a/thankyou",
            "302 https://acme.com/?pimms_redirected=1 +pimms_id_a/thankyou@/a/thankyou +pimms_anonymous_id@/",
        ),
        (
            "thank you: onwards",
            r#""k":"a/thankyou""#,
            "/a/ThankYou?pimms_redirect=https://shop.acme.com/done",
            "302 https://shop.acme.com/done?pimms_redirected=1 +pimms_id_a/thankyou@/a/ThankYou +pimms_anonymous_id@/",
        ),
        (
            "only at the end of a longer key",
            r#""k":"thankyou""#,
            "/thankyou",
            "302 https://acme.com/?pimms_id=ID +pimms_id_thankyou@/thankyou +pimms_id@acme.com/ +pimms_anonymous_id@/ recorded https://acme.com/",
        ),
    ]);
}

#[test]
fn targeting() {
    let to = |url: &str| {
        format!("302 {url}?pimms_id=ID +pimms_id_launch@/launch +pimms_anonymous_id@/ recorded {url}")
    };
    let all = r#""o":{"ios":"https://ios.com/","android":"https://android.com/","geo":{"FR":"https://fr.com/","US":"https://us.com/"}}"#;
    let rule = |conditions: &str| {
        format!(r#""o":{{"rules":[{{"conditions":[{conditions}],"url":"https://rule.com/"}}]}}"#)
    };
    for (what, over, request, expected) in [
        ("iPhone", all.to_owned(), "/launch | ua=iphone", to("https://ios.com/")),
        ("iPad", all.to_owned(), "/launch | ua=ipad", to("https://ios.com/")),
        ("Android", all.to_owned(), "/launch | ua=pixel", to("https://android.com/")),
        ("Android in an app", all.to_owned(), "/launch | ua=instagram-android", to("https://android.com/")),
        ("device before country", all.to_owned(), "/launch | ua=iphone | country=FR", to("https://ios.com/")),
        ("country", all.to_owned(), "/launch | country=FR", to("https://fr.com/")),
        ("another country", all.to_owned(), "/launch | country=US", to("https://us.com/")),
        ("no entry", all.to_owned(), "/launch | country=DE", PLAIN.to_owned()),
        ("country unknown", all.to_owned(), "/launch | country=", PLAIN.to_owned()),
        ("bots by country too", all.to_owned(), "/launch | ua=googlebot | country=FR", to("https://fr.com/")),
        ("a target that is none", r#""o":{"geo":{"FR":"javascript:alert(1)"}}"#.to_owned(), "/launch | country=FR", PLAIN.to_owned()),
        ("language", rule(r#"{"language":"fr"}"#), "/launch | language=fr-CA,en", to("https://rule.com/")),
        ("another language", rule(r#"{"language":"fr"}"#), "/launch | language=de", PLAIN.to_owned()),
        ("a refused language", rule(r#"{"language":"fr"}"#), "/launch | language=fr;q=0,de", PLAIN.to_owned()),
        ("query", rule(r#"{"query":{"name":"vip","value":"1"}}"#), "/launch?vip=1", "302 https://rule.com/?pimms_id=ID&vip=1 +pimms_id_launch@/launch +pimms_anonymous_id@/ recorded https://rule.com/".to_owned()),
        ("another value", rule(r#"{"query":{"name":"vip","value":"1"}}"#), "/launch?vip=2", plain("302 https://acme.com/?pimms_id=ID&vip=2") + " recorded https://acme.com/"),
        ("any value", rule(r#"{"query":{"name":"vip"}}"#), "/launch?vip", "302 https://rule.com/?pimms_id=ID&vip= +pimms_id_launch@/launch +pimms_anonymous_id@/ recorded https://rule.com/".to_owned()),
        ("from a day on", rule(&format!(r#"{{"after":{NOW}}}"#)), "/launch", to("https://rule.com/")),
        ("not yet", rule(&format!(r#"{{"after":{}}}"#, NOW + 1)), "/launch", PLAIN.to_owned()),
        ("until a day", rule(&format!(r#"{{"before":{}}}"#, NOW + 1)), "/launch", to("https://rule.com/")),
        ("no longer", rule(&format!(r#"{{"before":{NOW}}}"#)), "/launch", PLAIN.to_owned()),
        ("a window", rule(&format!(r#"{{"after":{}}},{{"before":{}}}"#, NOW - 1, NOW + 1)), "/launch", to("https://rule.com/")),
        ("browser", rule(r#"{"browser":"firefox"}"#), "/launch | ua=firefox", to("https://rule.com/")),
        ("another browser", rule(r#"{"browser":"firefox"}"#), "/launch", PLAIN.to_owned()),
        ("device", rule(r#"{"device":"tablet"}"#), "/launch | ua=ipad", to("https://rule.com/")),
        ("all of them", rule(r#"{"device":"mobile"},{"country":"FR"}"#), "/launch | ua=pixel | country=FR", to("https://rule.com/")),
        ("not all of them", rule(r#"{"device":"mobile"},{"country":"FR"}"#), "/launch | ua=pixel | country=US", PLAIN.to_owned()),
        ("no condition never holds", rule(""), "/launch", PLAIN.to_owned()),
    ] {
        assert_eq!(answer(&over, request), expected, "{what}: {over} {request}");
    }
}

#[test]
fn variants() {
    let until = NOW + 1;
    let test = format!(
        r#""o":{{"testVariants":[{{"url":"https://acme.com/a","percentage":50}},{{"url":"https://acme.com/b","percentage":50}}],"testCompletedAt":{until}}}"#
    );
    let to = |path: &str, n: u8| {
        format!(
            "302 https://acme.com/{path}?pimms_id=ID +pimms_id_launch@/launch +pimms_id@acme.com/ +pimms_anonymous_id@/ +pimms_test_launch@/launch recorded https://acme.com/{path} variant {n}"
        )
    };
    let over = test.replace(&until.to_string(), &NOW.to_string());
    for (what, over, request, expected) in [
        ("the first", test.as_str(), "/launch | chance=0", to("a", 1)),
        ("the second", test.as_str(), "/launch | chance=6", to("b", 2)),
        (
            "it goes before the link's own country",
            test.as_str(),
            "/launch | chance=0 | country=FR",
            to("a", 1),
        ),
        ("over", over.as_str(), "/launch", PLAIN.to_owned()),
        (
            "a made-up choice is none",
            test.as_str(),
            "/launch | chance=0 | cookie=pimms_test_go.acme.com_launch=https://evil.com",
            to("a", 1),
        ),
    ] {
        assert_eq!(answer(over, request), expected, "{what}");
    }
    let kept = |chance: u8| {
        let link = link(&test);
        let first = Asked::parse("/launch | chance=0");
        let keys = secrets();
        let wanted = key::of_path("/launch").unwrap();
        let Decision::Answer(outcome) =
            redirect::decide(&link, &wanted, &first.facts(""), &keys, Lock::Closed)
        else {
            panic!("a redirect")
        };
        let cookie = outcome.cookies.iter().find(|cookie| cookie.starts_with("pimms_test")).unwrap();
        let pair = cookie.split(';').next().unwrap();
        answer(&test, &format!("/launch | chance={chance} | cookie={pair}"))
    };
    for chance in [0, 6, 120, 255] {
        assert!(kept(chance).starts_with("302 https://acme.com/a?"), "{chance}");
    }
}

#[test]
fn leaving_apps() {
    let new = PLAIN_NEW;
    let rest = format!("{new} recorded https://acme.com/");
    check(&[
        (
            "Instagram on iOS",
            "",
            "/launch | ua=instagram",
            &format!(
                "200 refresh x-safari-https://acme.com/?pimms_id=ID then https://acme.com/?pimms_id=ID{rest}"
            ),
        ),
        ("Instagram on Android", "", "/launch | ua=instagram-android", PLAIN),
        ("Safari", "", "/launch | ua=iphone", PLAIN),
        (
            "Safari from X",
            "",
            "/launch | ua=iphone | referer=https://t.co/abc",
            &format!(
                "200 refresh x-safari-https://acme.com/?pimms_id=ID then https://acme.com/?pimms_id=ID{rest}"
            ),
        ),
        (
            "an indexable link",
            r#""o":{"doIndex":true}"#,
            "/launch | ua=instagram",
            &format!("302 https://acme.com/?pimms_id=ID shown{rest}"),
        ),
        (
            "to X, through the link itself",
            r#""u":"https://x.com/ada""#,
            "/launch | ua=instagram",
            "200 refresh x-safari-https://go.acme.com/launch?universal=true then https://x.com/ada?pimms_id=ID +pimms_id_launch@/launch +pimms_anonymous_id@/ recorded https://x.com/ada",
        ),
        (
            "once is enough",
            r#""u":"https://x.com/ada""#,
            "/launch?universal=true | ua=instagram",
            "200 refresh https://x.com/ada?pimms_id=ID&universal=true then https://x.com/ada?pimms_id=ID&universal=true +pimms_id_launch@/launch +pimms_anonymous_id@/ recorded https://x.com/ada",
        ),
        (
            "Substack opens in its app",
            r#""u":"https://ada.substack.com/p/x""#,
            "/launch",
            "302 https://open.substack.com/pub/ada/p/x?pimms_id=ID +pimms_id_launch@/launch +pimms_anonymous_id@/ recorded https://open.substack.com/pub/ada/p/x",
        ),
        (
            "a target for iOS is handed on too",
            r#""o":{"ios":"https://acme.com/ios"}"#,
            "/launch | ua=instagram",
            &format!(
                "200 refresh x-safari-https://acme.com/ios?pimms_id=ID then https://acme.com/ios?pimms_id=ID{new} recorded https://acme.com/ios"
            ),
        ),
    ]);
}

#[test]
fn answers_without_a_link() {
    let domain = |not_found: Option<&str>, expired: Option<&str>| DomainRecord {
        slug: "go.acme.com".to_owned(),
        not_found_url: not_found.map(str::to_owned),
        expired_url: expired.map(str::to_owned),
        ..DomainRecord::default()
    };
    let home = domain(Some("https://acme.com/404?x=1"), Some("https://acme.com/over"));
    for (what, missing, record, request, expected) in [
        ("unknown", Missing::Link, None, "/x", "404 \"This link does not exist\""),
        ("unknown, in French", Missing::Link, None, "/x | language=fr", "404 \"Ce lien n’existe pas\""),
        ("unknown, with an address", Missing::Link, Some(&home), "/x?a=1", "302 https://acme.com/404?x=1"),
        ("expired", Missing::Time, None, "/x", "410 \"This link has expired\""),
        ("expired, in French", Missing::Time, None, "/x | language=fr", "410 \"Ce lien a expiré\""),
        ("expired, with an address", Missing::Time, Some(&home), "/x", "307 https://acme.com/over"),
        (
            "an address that leads here",
            Missing::Link,
            Some(&domain(Some("https://go.acme.com/x?y=1"), None)),
            "/x",
            "404 \"This link does not exist\"",
        ),
        (
            "another page of the domain",
            Missing::Link,
            Some(&domain(Some("https://go.acme.com/home"), None)),
            "/x",
            "302 https://go.acme.com/home",
        ),
        (
            "a script",
            Missing::Link,
            Some(&domain(Some("javascript:alert(1)"), None)),
            "/x",
            "404 \"This link does not exist\"",
        ),
        (
            "an app",
            Missing::Link,
            Some(&domain(Some("tel:1"), None)),
            "/x",
            "404 \"This link does not exist\"",
        ),
        ("nothing set", Missing::Time, Some(&domain(None, None)), "/x", "410 \"This link has expired\""),
    ] {
        let asked = Asked::parse(request);
        assert_eq!(
            summary(&redirect::without_link(missing, record, &asked.facts("")), ""),
            expected,
            "{what}"
        );
    }
    assert_eq!(summary(&redirect::unavailable("en"), ""), "503 \"This link cannot be opened right now\"");
    assert_eq!(summary(&redirect::unsupported(), ""), "302 /?pimms-no-track=1");
}

#[test]
fn posted_passwords() {
    use redirect::Given;
    let link = link(&format!(r#""o":{{{PASSWORD}}}"#));
    let asked = Asked::parse("//evil.com/launch?a=1");
    let post = |given| redirect::password_answer(&link, &asked.facts(""), &secrets(), given);
    let right = post(Given::Right);
    assert_eq!(
        (right.status, right.location.as_deref()),
        (303, Some("/launch?a=1")),
        "never to another host"
    );
    assert_eq!(right.cookies.len(), 1);
    assert!(right.cookies[0].starts_with(&format!("pimms_password_{LINK_ID}=")));
    assert!(right.cookies[0].ends_with("; Path=/; Secure; HttpOnly; SameSite=Lax"), "{}", right.cookies[0]);
    assert_eq!(summary(&post(Given::Wrong), ""), "403 \"This link is protected\"");
    let paused = post(Given::TooMany);
    assert_eq!((paused.status, paused.retry_after_s), (429, Some(900)));
}

#[test]
fn without_secrets_a_link_still_redirects() {
    let asked = Asked::parse("/launch");
    let wanted = key::of_path("/launch").unwrap();
    let none = Secrets::default();
    let Decision::Answer(outcome) =
        redirect::decide(&link(""), &wanted, &asked.facts(""), &none, Lock::Closed)
    else {
        panic!("a redirect")
    };
    assert_eq!(summary(&outcome, ""), "302 https://acme.com/ +pimms_anonymous_id@/");
}

#[test]
fn limited_clicks_are_admitted_first() {
    let asked = Asked::parse("/launch");
    let wanted = key::of_path("/launch").unwrap();
    let limited = link(r#""o":{"maxClicks":3}"#);
    let Decision::Answer(outcome) =
        redirect::decide(&limited, &wanted, &asked.facts(""), &secrets(), Lock::Closed)
    else {
        panic!("a redirect")
    };
    assert_eq!(outcome.max_clicks, Some(3));
    assert_eq!(redirect::spent(&limited), Decision::AskDomain(Missing::Time));
    let elsewhere = link(r#""o":{"maxClicks":3,"expiredUrl":"https://acme.com/over"}"#);
    let Decision::Answer(outcome) = redirect::spent(&elsewhere) else { panic!("a redirect") };
    assert_eq!(summary(&outcome, ""), "302 https://acme.com/over");
}
