//! The compact public suffix list says what the crate `psl` says, for every rule of the list.

use pimms_edge::core::public_suffix::{registrable, shared};

#[test]
fn every_rule_agrees_with_the_crate() {
    let rules = include_str!("../data/public_suffixes.txt");
    let mut compared = 0;
    for rule in rules.lines().filter(|line| !line.is_empty()) {
        let name = rule.trim_start_matches('!').replace("*.", "any.");
        for host in [name.clone(), format!("acme.{name}"), format!("go.acme.{name}"), format!("a.b.c.{name}")]
        {
            let ascii = idna::domain_to_ascii(&host).unwrap();
            let theirs = psl::domain_str(&host).map(|domain| idna::domain_to_ascii(domain).unwrap());
            assert_eq!(registrable(&ascii), theirs.as_deref(), "{host}");
            compared += 1;
        }
    }
    assert!(compared > 40_000, "{compared}");
}

/// The way that compares two hosts without looking both up.
#[test]
fn what_two_hosts_share_is_the_domain_of_both() {
    let rules = include_str!("../data/public_suffixes.txt");
    for rule in rules.lines().filter(|line| !line.is_empty()).step_by(7) {
        let name = idna::domain_to_ascii(&rule.trim_start_matches('!').replace("*.", "any.")).unwrap();
        let above = name.split_once('.').map_or("com", |(_, above)| above);
        let hosts = [name.clone(), format!("go.{name}"), format!("a.go.{name}"), format!("go.{above}")];
        for one in &hosts {
            for other in &hosts {
                let domain = registrable(one).filter(|domain| registrable(other) == Some(domain));
                assert_eq!(shared(one, other), domain, "{one} {other}");
            }
        }
    }
}
