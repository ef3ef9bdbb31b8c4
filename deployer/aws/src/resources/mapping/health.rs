//! The health of a mapping, as Lambda reports it.

use aws_sdk_lambda::types::EventSourceMappingConfiguration;

/// Returns why a mapping does not work, if Lambda reports it.
///
/// Lambda reports two texts: the cause of the last change of state, and the result of the last read or
/// invocation. A problem in either begins with "PROBLEM" ("EventSourceMappingConfiguration", Lambda API
/// reference).
pub(super) fn failure(mapping: &EventSourceMappingConfiguration) -> Option<String> {
    let (why, result) = (mapping.state_transition_reason(), mapping.last_processing_result());
    let problem = |text: &&str| text.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("PROBLEM"));
    if let Some(text) = [why, result].into_iter().flatten().find(problem) {
        return Some(text.to_owned());
    }
    let stopped = matches!(mapping.state(), Some("Disabled" | "Disabling"));
    let by_lambda = why.filter(|why| stopped && why.to_lowercase().contains("lambda"))?;
    Some(match result {
        Some(result) => format!("Lambda disabled it: {by_lambda}; {result}"),
        None => format!("Lambda disabled it: {by_lambda}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(state: &str, why: &str, result: &str) -> Option<String> {
        failure(
            &EventSourceMappingConfiguration::builder()
                .state(state)
                .state_transition_reason(why)
                .last_processing_result(result)
                .build(),
        )
    }

    #[test]
    fn healthy_mapping_has_no_failure() {
        for result in ["OK", "No records processed", "OK - 3 records"] {
            assert_eq!(said("Enabled", "USER_INITIATED", result), None);
            assert_eq!(said("Enabled", "User action", result), None);
            assert_eq!(said("Disabled", "USER_INITIATED", result), None);
        }
        assert_eq!(failure(&EventSourceMappingConfiguration::builder().build()), None);
    }

    #[test]
    fn mapping_problem_is_a_failure() {
        let call = "PROBLEM: Function call failed";
        assert_eq!(said("Enabled", "USER_INITIATED", call).as_deref(), Some(call));
        let source = "PROBLEM: Lambda cannot read the stream";
        assert_eq!(said("Disabled", source, "OK").as_deref(), Some(source));
    }

    #[test]
    fn mapping_disabled_by_lambda_is_a_failure() {
        let said = said("Disabled", "Lambda initiated", "No records processed");
        assert_eq!(said.as_deref(), Some("Lambda disabled it: Lambda initiated; No records processed"));
    }
}
