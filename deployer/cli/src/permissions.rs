//! The minimal permissions for deploying a stack: those that its kinds need for their calls, merged into few
//! statements. All functions are pure.
//!
//! `sts:GetCallerIdentity` is not included: AWS allows it without permissions ("GetCallerIdentity", STS API
//! reference).

use std::collections::{BTreeMap, BTreeSet};

use engine::scope::Scope;
use engine::stack::Stack;
use serde_json::Value;

use crate::environment::Environment;
use aws::policy::{Condition, Policy, Statement};
use aws::resources::function::Function;
use aws::{Aws, READS, package_permissions, release_permissions};

/// The maximum number of characters of a managed policy, without white space ("IAM and AWS STS quotas", IAM
/// user guide).
pub const MANAGED_POLICY: usize = 6144;

/// The actions that can give a role more than its boundary allows, or another boundary. All of them support
/// the condition key `iam:PermissionsBoundary` ("Actions, resources, and condition keys for AWS Identity and
/// Access Management", Service Authorization Reference).
const BOUNDED: [&str; 4] =
    ["iam:AttachRolePolicy", "iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"];
/// Not granted if every role has a boundary.
const DELETE_BOUNDARY: &str = "iam:DeleteRolePermissionsBoundary";

/// Returns the permissions for deploying this stack.
pub fn deploying(environment: &Environment, stack: &Stack<Aws>) -> Vec<Statement> {
    merged([of_stack(environment, stack), package_permissions(&stack.scope)].concat())
}

/// Returns the permissions for only reading this stack: `plan`, `drift` and `history`. Kinds from outside the
/// crate `aws` declare [their read operations](Stack::read_operations).
pub fn looking(environment: &Environment, stack: &Stack<Aws>) -> Vec<Statement> {
    reading(of_stack(environment, stack), &stack.read_operations())
}

fn of_stack(environment: &Environment, stack: &Stack<Aws>) -> Vec<Statement> {
    // Kinds without resources in the stack are listed as well: there may be orphans of them.
    let of_kinds = stack.kinds.iter().flat_map(|kind| (kind.permissions)(&stack.scope));
    // Only if a function has a network or a layer, or uses a resource of others.
    let resources = stack.neighbours();
    let of_functions = resources.of_kind::<Function>().flat_map(Function::deploying);
    let all = of_kinds.chain(release_permissions(&stack.scope)).chain(of_functions);
    let all = all.chain(keys(environment, &stack.scope));
    let all = all.collect::<Vec<_>>();
    let boundary = environment.org.permissions_boundary();
    match &boundary {
        Some(boundary) => all.into_iter().flat_map(|statement| bounded(statement, boundary)).collect(),
        None => all,
    }
}

/// Returns the statements with only their read actions: those that reading a stack needs, and those for the
/// operations in `also`.
fn reading(statements: Vec<Statement>, also: &[&str]) -> Vec<Statement> {
    let reads = |action: &str| reads(action) || also.contains(&operation(action));
    let reads = statements.into_iter().map(|statement| {
        let actions = statement.actions.iter().copied().filter(|action| reads(action)).collect();
        Statement { actions, ..statement }
    });
    merged(reads.filter(|statement| !statement.actions.is_empty()).collect())
}

/// Returns the policy document with these statements. To save characters of a managed policy, a list of one
/// is written as its element, which IAM treats the same, and statement names are omitted if the document is
/// too long.
pub fn document(statements: &[Statement]) -> Value {
    let text = Policy::allowing(statements).to_json();
    let mut document: Value = serde_json::from_str(&text).expect("a policy document is JSON");
    let statements = document["Statement"].as_array_mut().into_iter().flatten();
    for value in statements.filter_map(Value::as_object_mut).flat_map(|statement| statement.values_mut()) {
        if let [one] = value.as_array().map_or(&[][..], Vec::as_slice) {
            *value = one.clone();
        }
    }
    if size(&document) > MANAGED_POLICY {
        let statements = document["Statement"].as_array_mut().into_iter().flatten();
        for statement in statements.filter_map(Value::as_object_mut) {
            statement.remove("Sid");
        }
    }
    document
}

/// Returns the documents of the managed policies that together allow what these statements allow: one if that
/// fits, otherwise as few as fit in this order.
pub fn documents(statements: &[Statement]) -> Vec<Value> {
    let whole = document(statements);
    if size(&whole) <= MANAGED_POLICY {
        return vec![whole];
    }
    let fits = |part: &[Statement]| size(&document(part)) <= MANAGED_POLICY;
    let mut parts: Vec<Vec<Statement>> = Vec::new();
    for statement in statements {
        match parts.last_mut() {
            Some(part) if fits(&[part.as_slice(), std::slice::from_ref(statement)].concat()) => {
                part.push(statement.clone());
            }
            _ => parts.push(vec![statement.clone()]),
        }
    }
    parts.iter().map(|part| document(part)).collect()
}

/// Returns the number of characters of a document in a managed policy.
pub fn size(document: &Value) -> usize {
    document.to_string().chars().count()
}

/// Moves the actions that are allowed only with the boundary to a statement with that condition.
fn bounded(statement: Statement, boundary: &str) -> Vec<Statement> {
    let (under, free): (Vec<_>, Vec<_>) =
        statement.actions.iter().copied().partition(|action| BOUNDED.contains(action));
    let free = free.into_iter().filter(|action| *action != DELETE_BOUNDARY).collect();
    let under = Statement { sid: format!("{}Bounded", statement.sid), actions: under, ..statement.clone() };
    let under = under.when("StringEquals", "iam:PermissionsBoundary", boundary);
    let mut both = vec![Statement { actions: free, ..statement }, under];
    both.retain(|statement| !statement.actions.is_empty());
    both
}

/// Returns the permissions for the organisation's KMS keys: services check that their caller may use the key,
/// and create a grant with the caller's permission.
fn keys(environment: &Environment, scope: &Scope) -> Vec<Statement> {
    let kms = &environment.org.kms;
    // "DynamoDB encryption at rest: usage notes: Authorizing use of a customer managed key", DynamoDB
    // developer guide: the minimum for a caller that selects the key of a table.
    let of_tables = [
        "kms:CreateGrant",
        "kms:Decrypt",
        "kms:DescribeKey",
        "kms:Encrypt",
        "kms:GenerateDataKey*",
        "kms:ReEncrypt*",
    ];
    // "Securing Lambda environment variables", Lambda developer guide: the variables are
    // decrypted in `GetFunction`.
    let of_functions = ["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt"];
    let used = [
        ("Table", "dynamodb", kms.table().today, &of_tables[..]),
        ("Functions", "lambda", kms.functions(), &of_functions[..]),
    ];
    let via = |service: &str| format!("{service}.{}.amazonaws.com", scope.region);
    let used = used.into_iter().filter_map(|(thing, service, key, actions)| {
        let statement = Statement::new(format!("{thing}Key"), actions, [key?]);
        Some(statement.when("StringEquals", "kms:ViaService", via(service)))
    });
    // Functions keep their former key until they are updated, and reading them needs it.
    let former = Statement::new("FunctionsFormerKeys", ["kms:Decrypt"], kms.former());
    let former = former.when("StringEquals", "kms:ViaService", via("lambda"));
    used.chain((!former.resources.is_empty()).then_some(former)).collect()
}

/// Returns whether reading a stack needs this action.
fn reads(action: &str) -> bool {
    // Not a call of the deployer: Lambda needs it to return encrypted variables.
    action == "kms:Decrypt" || READS.contains(&operation(action))
}

/// Returns the operation that needs an action. Only S3's actions are named differently from its operations
/// ("Required permissions for Amazon S3 API operations", S3 user guide).
fn operation(action: &str) -> &str {
    match action {
        "s3:GetBucketCORS" => "GetBucketCors",
        "s3:GetBucketNotification" => "GetBucketNotificationConfiguration",
        "s3:GetBucketPublicAccessBlock" => "GetPublicAccessBlock",
        "s3:GetEncryptionConfiguration" => "GetBucketEncryption",
        "s3:GetLifecycleConfiguration" => "GetBucketLifecycleConfiguration",
        "s3:ListAllMyBuckets" => "ListBuckets",
        "s3:ListBucket" => "HeadBucket",
        other => other.split_once(':').map_or(other, |(_, name)| name),
    }
}

/// The resources and conditions of a statement. Statements that agree in both are merged.
type Alike = (BTreeSet<String>, Vec<Condition>);

/// Merges statements that differ only in their actions, in order of first appearance.
fn merged(statements: Vec<Statement>) -> Vec<Statement> {
    let mut order: Vec<Alike> = Vec::new();
    let mut groups: BTreeMap<Alike, Vec<Statement>> = BTreeMap::new();
    for statement in statements {
        let alike = (statement.resources.iter().cloned().collect(), statement.conditions.clone());
        if !groups.contains_key(&alike) {
            order.push(alike.clone());
        }
        groups.entry(alike).or_default().push(statement);
    }
    let mut taken = BTreeSet::new();
    let merged = order.into_iter().map(|alike| {
        let group = &groups[&alike];
        let actions: BTreeSet<&'static str> =
            group.iter().flat_map(|statement| statement.actions.iter().copied()).collect();
        let (resources, conditions) = alike;
        let name = common(group.iter().map(|statement| statement.sid.as_str()));
        let mut sid = name.clone();
        let mut number = 1;
        while !taken.insert(sid.clone()) {
            number += 1;
            sid = format!("{name}{number}");
        }
        let (actions, resources) = (actions.into_iter().collect(), resources.into_iter().collect());
        Statement { sid, actions, resources, conditions }
    });
    merged.collect()
}

/// Returns the words that names share at their beginning or at their end: `TablesRead` and `TablesWrite` are
/// `Tables`, `TablesList` and `RolesList` are `List`.
fn common<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<Vec<&str>> = names.map(words).collect();
    let all = |number: usize, end: bool| {
        let word = |words: &Vec<&'a str>| {
            let at = if end { words.len().checked_sub(number + 1) } else { Some(number) };
            words.get(at?).copied()
        };
        let first = word(&names[0])?;
        names.iter().all(|words| word(words) == Some(first)).then_some(first)
    };
    let beginning: String = (0..).map_while(|number| all(number, false)).collect();
    let mut end: Vec<&str> = (0..).map_while(|number| all(number, true)).collect();
    end.reverse();
    match (beginning.is_empty(), end.is_empty()) {
        (false, _) => beginning,
        (true, false) => end.concat(),
        (true, true) => "Various".to_owned(),
    }
}

/// Splits a name before its capital letters.
fn words(name: &str) -> Vec<&str> {
    let mut starts: Vec<usize> = name.match_indices(char::is_uppercase).map(|(at, _)| at).collect();
    starts.push(name.len());
    starts.windows(2).map(|pair| &name[pair[0]..pair[1]]).collect()
}

#[cfg(test)]
mod tests;
