//! Visits of thank-you links on their way to the Directory: through the queue of clicks, after the answer.

use worker::{Env, Result, console_error};

use crate::core::ledger::fact::TouchVerdict;
use crate::core::ledger::messages::ToDirectory;
use crate::core::thank_you::Arrival;
use crate::edge::{click_proof, click_queue, codec, objects};

/// What such a message of the queue begins with.
pub(crate) const MARK: &str = "arrival ";

/// Hands an arrival over to be told. What the queue refuses is told at once.
pub(crate) async fn send(env: Env, arrival: Box<Arrival>) {
    let text = codec::encode(&arrival).map(|text| format!("{MARK}{text}"));
    let Err(refused) = (match text {
        Ok(text) => click_queue::put(&env, text).await,
        Err(error) => Err(error),
    }) else {
        return;
    };
    let session = arrival.session_id.clone();
    console_error!("alarm: the queue refused the arrival from {session}, telling it directly: {refused}");
    if let Err(error) = tell(&env, *arrival).await {
        console_error!("alarm: the arrival from {session} is lost: {error}");
    }
}

/// Tells the Directories that may know the session; telling it again changes nothing.
pub(crate) async fn tell(env: &Env, mut arrival: Arrival) -> Result<()> {
    if let TouchVerdict::Refused(_) = arrival.touch.verdict {
        let found = click_proof::find(env, &arrival.workspace_id, &arrival.touch.click_id).await?;
        let Some((link_id, at)) = found else { return Ok(()) };
        arrival.touch.verdict = TouchVerdict::Click { link_id, at };
    }
    for mode in arrival.modes() {
        let stub = objects::directory(env, &arrival.workspace_id, *mode)?;
        let () = objects::call(&stub, &ToDirectory::Arrived(Box::new(arrival.clone()))).await?;
    }
    Ok(())
}
