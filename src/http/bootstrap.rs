//! `POST /_pimms/bootstrap`: the first workspace of an instance, for whoever holds its bootstrap token.

use subtle::ConstantTimeEq;
use worker::{Env, Request};

use crate::core::access;
use crate::core::api::bootstrap::Bootstrap;
use crate::core::ids;
use crate::core::problem::{Code, Problem};
use crate::edge::workspaces::{self, Made};
use crate::edge::{entropy, keys};
use crate::http::failure::{Answer, Failure};
use crate::http::{body, respond};

/// Creates the workspace; asking again for the same one is answered alike.
pub(crate) async fn create(mut request: Request, env: &Env) -> Answer {
    authorise(&request, env)?;
    let wanted = Bootstrap::parse(&body::json(&mut request, body::API_LIMIT_BYTES).await?)?;
    let created = match workspaces::bootstrap(env, &wanted, entropy::now()).await? {
        Made::Created => true,
        Made::Known => false,
        Made::Taken(what) => {
            return Err(Problem::new(Code::Conflict, format!("The {what} is already taken.")).into());
        }
    };
    keys::forget();
    let answer = serde_json::json!({"workspaceId": wanted.workspace_id, "created": created});
    Ok(respond::json(200, &answer)?)
}

/// Without the token, or with another, there is nothing here.
fn authorise(request: &Request, env: &Env) -> Result<(), Failure> {
    if holds_token(request, env)? { Ok(()) } else { Err(Problem::not_found("Page").into()) }
}

/// Whether the caller holds the instance's bootstrap token.
pub(crate) fn holds_token(request: &Request, env: &Env) -> worker::Result<bool> {
    let token = env.secret("BOOTSTRAP_TOKEN").map(|token| token.to_string()).unwrap_or_default();
    let header = request.headers().get("authorization")?;
    let given = access::bearer(header.as_deref()).unwrap_or_default();
    let equal =
        ids::sha256_hex(given.as_bytes()).as_bytes().ct_eq(ids::sha256_hex(token.as_bytes()).as_bytes());
    Ok(token.len() >= 16 && bool::from(equal))
}
