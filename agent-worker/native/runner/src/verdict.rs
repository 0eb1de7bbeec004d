//! What each of GitLab's answers asks a runner to do: the protocol's rules without the network.

use std::time::Duration;

/// An answer, or `status: None` where none came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    pub status: Option<u16>,
    pub job_status: Option<String>,
    /// How long to wait between two parts of the log.
    pub interval: Option<Duration>,
    /// How much of the log GitLab has.
    pub range_end: Option<u64>,
    pub retry_after: Option<Duration>,
    /// For people: why there is no answer, or what it said.
    pub detail: String,
}

#[derive(Debug, PartialEq, Eq)]
pub enum FinalVerdict {
    Done,
    /// Accepted, but parts of the log are still being stored: say it again.
    NotComplete,
    /// The log that GitLab holds is another one: send it again from its beginning.
    LogDiffers,
    /// GitLab wants nothing more of this job.
    Refused,
    /// Not understood; a few more tries.
    RetryAFewTimes,
    /// GitLab is away: until it is back.
    Retry,
}

pub fn on_final(answer: &Answer) -> FinalVerdict {
    match answer.status {
        Some(200) => FinalVerdict::Done,
        Some(202) => FinalVerdict::NotComplete,
        Some(412) => FinalVerdict::LogDiffers,
        Some(403 | 404) => FinalVerdict::Refused,
        Some(408 | 429) | Some(500..) | None => FinalVerdict::Retry,
        Some(_) => FinalVerdict::RetryAFewTimes,
    }
}

#[derive(Debug, PartialEq, Eq)]
pub enum LogVerdict {
    Accepted,
    /// GitLab has this much; go on from there.
    ContinueAt(u64),
    /// The job has ended in GitLab.
    Refused,
    /// There is no such job any more: nobody reads its log.
    Gone,
    Retry,
}

pub fn on_log(answer: &Answer) -> LogVerdict {
    match (answer.status, answer.range_end) {
        (Some(200..=299), _) => LogVerdict::Accepted,
        (Some(416), Some(end)) => LogVerdict::ContinueAt(end),
        (Some(403), _) => LogVerdict::Refused,
        (Some(404), _) => LogVerdict::Gone,
        _ => LogVerdict::Retry,
    }
}

/// What any answer about a job may say about its fate.
#[derive(Debug, PartialEq, Eq)]
pub enum Fate {
    GoesOn,
    /// Somebody cancelled it; after_script may still run.
    Canceling,
    Over,
}

pub fn fate(answer: &Answer) -> Fate {
    match (answer.status, answer.job_status.as_deref()) {
        (Some(403), _) | (_, Some("canceled" | "failed")) => Fate::Over,
        (_, Some("canceling")) => Fate::Canceling,
        _ => Fate::GoesOn,
    }
}

#[derive(Debug, PartialEq, Eq)]
pub enum TransferVerdict {
    Done,
    /// Where to ask instead.
    Elsewhere,
    Refused,
    Retry,
}

pub fn on_transfer(status: Option<u16>) -> TransferVerdict {
    match status {
        Some(200..=299) => TransferVerdict::Done,
        Some(301 | 302 | 303 | 307 | 308) => TransferVerdict::Elsewhere,
        Some(408 | 429) | Some(500..) | None => TransferVerdict::Retry,
        Some(_) => TransferVerdict::Refused,
    }
}

/// Doubles from `first` to at most `most`.
pub fn back_off(attempt: u32, first: Duration, most: Duration) -> Duration {
    first.saturating_mul(1 << attempt.min(16)).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(status: u16) -> Answer {
        Answer { status: Some(status), ..Answer::default() }
    }

    #[test]
    fn a_final_state_is_repeated_until_it_is_taken_or_refused() {
        let table = [
            (200, FinalVerdict::Done),
            (202, FinalVerdict::NotComplete),
            (412, FinalVerdict::LogDiffers),
            (403, FinalVerdict::Refused),
            (404, FinalVerdict::Refused),
            (400, FinalVerdict::RetryAFewTimes),
            (409, FinalVerdict::RetryAFewTimes),
            (429, FinalVerdict::Retry),
            (500, FinalVerdict::Retry),
            (503, FinalVerdict::Retry),
        ];
        for (code, verdict) in table {
            assert_eq!(on_final(&status(code)), verdict, "{code}");
        }
        assert_eq!(on_final(&Answer::default()), FinalVerdict::Retry);
    }

    #[test]
    fn the_log_goes_on_where_gitlab_says() {
        assert_eq!(on_log(&status(202)), LogVerdict::Accepted);
        assert_eq!(on_log(&Answer { range_end: Some(7), ..status(416) }), LogVerdict::ContinueAt(7));
        assert_eq!(on_log(&status(416)), LogVerdict::Retry);
        assert_eq!(on_log(&status(403)), LogVerdict::Refused);
        assert_eq!(on_log(&status(404)), LogVerdict::Gone);
        assert_eq!(on_log(&status(502)), LogVerdict::Retry);
        assert_eq!(on_log(&Answer::default()), LogVerdict::Retry);
    }

    #[test]
    fn a_cancel_is_seen_in_any_answer() {
        let with = |code, word: &str| fate(&Answer { job_status: Some(word.into()), ..status(code) });
        assert_eq!(with(202, "canceling"), Fate::Canceling);
        assert_eq!(with(202, "canceled"), Fate::Over);
        assert_eq!(with(200, "failed"), Fate::Over);
        assert_eq!(with(202, "running"), Fate::GoesOn);
        assert_eq!(fate(&status(403)), Fate::Over);
        assert_eq!(fate(&status(503)), Fate::GoesOn);
    }

    #[test]
    fn transfers_are_retried_only_while_gitlab_is_away() {
        assert_eq!(on_transfer(Some(201)), TransferVerdict::Done);
        assert_eq!(on_transfer(Some(307)), TransferVerdict::Elsewhere);
        assert_eq!(on_transfer(Some(413)), TransferVerdict::Refused);
        assert_eq!(on_transfer(Some(403)), TransferVerdict::Refused);
        assert_eq!(on_transfer(Some(503)), TransferVerdict::Retry);
        assert_eq!(on_transfer(None), TransferVerdict::Retry);
    }

    #[test]
    fn waits_grow_to_a_limit() {
        let at = |n| back_off(n, Duration::from_secs(1), Duration::from_secs(30)).as_secs();
        assert_eq!([at(0), at(1), at(4), at(5), at(99)], [1, 2, 16, 30, 30]);
    }
}
