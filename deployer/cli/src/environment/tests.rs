use std::collections::BTreeMap;
use std::num::NonZeroU8;

use super::*;
use aws::composites::LambdaSettings;
use aws::resources::Keys;

const LEAST: &str = "region = \"eu-central-1\"\naccount = \"111111111111\"\n";
const KEY: &str = "arn:aws:kms:eu-central-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab";

/// Reads an environment from files in memory.
fn read(name: &str, files: &[(&str, &str)]) -> Result<Environment, EnvironmentError> {
    let files: BTreeMap<String, &str> =
        files.iter().map(|(name, text)| (format!("environments/{name}.toml"), *text)).collect();
    Environment::read(Path::new("environments"), name, AppSettings::NONE, &|path| {
        let text = files.get(&path.display().to_string()).map(ToString::to_string);
        text.ok_or_else(|| std::io::ErrorKind::NotFound.into())
    })
}

fn right(text: &str) -> Environment {
    read("dev", &[("dev", text)]).expect("the text is right")
}

fn error_of(text: &str) -> String {
    read("dev", &[("dev", text)]).expect_err("the text is not right").to_string()
}

fn committed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../environments")
}

#[test]
fn region_and_account_are_enough() {
    let environment = right(LEAST);
    assert_eq!(environment.lambda_defaults().settings.memory_mb, Some(256));
    assert!(environment.local.is_none());
    assert_eq!(environment.org.permissions_boundary(), None);
    assert_eq!(environment.org.kms.table(), Keys::default());
    assert_eq!(environment.org.login(), aws::Login::default());
}

#[test]
fn committed_environment_files_are_valid() {
    let names = known(&committed());
    assert!(names.contains(&"dev".to_owned()), "{names:?}");
    for name in names {
        Environment::load(&committed(), &name, AppSettings::NONE).expect("a committed environment is right");
    }
}

#[test]
fn environment_errors_name_file_and_line() {
    let cases = [
        "region = \"eu-central-1\"\n".to_owned(),
        format!("{LEAST}protekt = true\n"),
        format!("{LEAST}protect = \"yes\"\n"),
        format!("{LEAST}[functions]\nmemory_mb = 64\n"),
        format!("{LEAST}[functions]\nlog_retention_days = 15\n"),
        format!("{LEAST}[build]\nmethod = \"docker\"\n"),
        format!("{LEAST}[build]\nprofile = \"my profile\"\n"),
        format!("{LEAST}[build]\nprofile = \"debug\"\n"),
        "region = \"frankfurt\"\naccount = \"111111111111\"\n".to_owned(),
        "region = \"us-esat-1\"\naccount = \"111111111111\"\n".to_owned(),
        "region = \"eu-central-1\"\naccount = 111111111111\n".to_owned(),
        "region = \"eu-central-1\"\naccount = \"1234\"\n".to_owned(),
        "region = \"eu-central-1\naccount = 1\n".to_owned(),
    ];
    let said: Vec<String> = cases.iter().map(|text| error_of(text)).collect();
    insta::assert_snapshot!(said.join("\n---\n"));
}

#[test]
fn organisation_errors_name_file_and_line() {
    let many: String = (0..41).map(|number| format!("key-{number} = \"\"\n")).collect();
    let long = "k".repeat(129);
    let cases = [
        "permissions_boundary = \"boundary\"".to_owned(),
        "permissions_boundary = \"arn:aws:iam::222222222222:policy/boundary\"".into(),
        "profile = \"\"".into(),
        "kms.default = \"alias/ours\"".into(),
        "kms.tabel = \"\"".into(),
        format!("kms.logs = \"{}\"", KEY.replace("eu-central-1", "eu-west-1")),
        format!("kms.former = \"{KEY}\""),
        format!("kms.former = [\"{KEY}\", \"alias/ours\"]"),
        format!("kms.former = [\"{}\"]", KEY.replace("eu-central-1", "eu-west-1")),
        "assume_role.arn = \"arn:aws:iam::111111111111:user/me\"".into(),
        "assume_role.arn = \"arn:aws:iam::222222222222:role/deployer\"".into(),
        "assume_role.external_id = \"ours\"".into(),
        "[org.assume_role]\narn = \"arn:aws:iam::111111111111:role/deployer\"\nexternal_id = \"a b\"".into(),
        "[org.tags]\nteam = \"shops\"\n\"aws:team\" = \"shops\"".into(),
        "[org.tags]\n\"Deployer:stamp\" = \"1\"".into(),
        "[org.tags]\nteam = \"shops & co\"".into(),
        "[org.tags]\ncost-center = 4711".into(),
        format!("[org.tags]\n{long} = \"\""),
        format!("[org.tags]\nnote = \"{}\"", "v".repeat(257)),
        format!("[org.tags]\n{many}"),
        "[org.tags]\nteam = \"a\"\nTeam = \"b\"".into(),
        "tags = [\"team\"]".into(),
    ];
    let said: Vec<String> = cases.iter().map(|text| error_of(&format!("{LEAST}[org]\n{text}\n"))).collect();
    insta::assert_snapshot!(said.join("\n---\n"));
}

#[test]
fn alarm_settings_errors_name_file_and_line() {
    let topic = |name: &str| format!("\"arn:aws:sns:eu-central-1:111111111111:{name}\"");
    let six: Vec<String> = ["a", "b", "c", "d", "e", "f"].map(topic).into();
    let cases = [
        "notify = \"people\"".to_owned(),
        "notify = [\"people\"]".into(),
        "notify = [\"arn:aws:sqs:eu-central-1:111111111111:people\"]".into(),
        "notify = [\"arn:aws:sns:eu-central-1:111111111111:people:0123\"]".into(),
        format!("notify = [\n  {},\n  {},\n]", topic("a"), topic("b").replace("eu-central-1", "eu-west-1")),
        format!("notify = [{}]", six.join(", ")),
        "nofity = []".into(),
    ];
    let said: Vec<String> =
        cases.iter().map(|text| error_of(&format!("{LEAST}[alarms]\n{text}\n"))).collect();
    insta::assert_snapshot!(said.join("\n---\n"));
}

#[test]
fn alarms_notify_topics_of_any_account_in_region() {
    let topics = ["arn:aws:sns:eu-central-1:111111111111:a", "arn:aws:sns:eu-central-1:333333333333:b"];
    let environment = right(&format!("{LEAST}[alarms]\nnotify = {topics:?}\n"));
    assert_eq!(environment.alarms.topics(), topics.map(str::to_owned).into());
    assert!(right(LEAST).alarms.topics().is_empty());
}

#[test]
fn tags_are_accepted_up_to_aws_limits() {
    let many: String = (0..39).map(|number| format!("key-{number} = \"\"\n")).collect();
    let (key, value) = ("k".repeat(128), "ü".repeat(256));
    let environment = right(&format!("{LEAST}[org.tags]\n{many}{key} = \"{value}\"\n"));
    let scope = environment.scope("demo");
    assert_eq!(scope.extra_tags.len(), 40);
    assert_eq!(scope.extra_tags[&key], value);
    assert!(scope.all_tags().len() <= 50);
}

#[test]
fn resource_key_falls_back_to_the_default_key() {
    let own = KEY.replace("1234abcd", "own00000");
    let kms = right(&format!("{LEAST}[org.kms]\ndefault = \"{KEY}\"\nbucket = \"{own}\"\n")).org.kms;
    assert_eq!(kms.bucket().today.as_deref(), Some(own.as_str()));
    for other in [kms.table().today, kms.stream().today, kms.logs(), kms.functions()] {
        assert_eq!(other.as_deref(), Some(KEY));
    }
    assert_eq!(kms.former(), [""; 0]);
    let kms = right(&format!("{LEAST}[org.kms]\nformer = [\"{own}\"]\n")).org.kms;
    assert_eq!(kms.bucket(), Keys { today: None, former: vec![own] });
    assert_eq!(kms.former(), kms.bucket().former);
}

/// The key `shards` of an extended file may stay: in on-demand mode it is not used.
#[test]
fn stream_on_demand_has_no_provisioned_shards() {
    let stream = |text: &str| {
        let base = format!("{LEAST}[stream]\nshards = 2\n");
        let files = [("base", base.as_str()), ("dev", text)];
        read("dev", &files).expect("the file is right").stream.provisioned_shards()
    };
    assert_eq!(stream("extends = \"base\"\n"), Some(2));
    assert_eq!(stream("extends = \"base\"\n[stream]\nmode = \"provisioned\"\n"), Some(2));
    assert_eq!(stream("extends = \"base\"\n[stream]\nmode = \"on_demand\"\n"), None);
}

#[test]
fn environment_inherits_settings_from_the_one_it_extends() {
    let base = format!(
        "{LEAST}protect = true\n[functions]\nmemory_mb = 512\ntimeout_s = 60\n\
         [org.tags]\nteam = \"shops\"\nstage = \"base\"\n",
    );
    let files = [
        ("base", base.as_str()),
        ("dev", "extends = \"base\"\nprotect = false\n[stream]\nshards = 2\n"),
        ("ann", "extends = \"dev\"\n[functions]\nmemory_mb = 256\n[org.tags]\nstage = \"ann\"\n"),
    ];
    let ann = read("ann", &files).expect("two steps are fine");
    assert_eq!((ann.name.as_str(), ann.extends.as_deref()), ("ann", Some("dev")));
    let settings = ann.lambda_defaults().settings;
    assert_eq!((settings.memory_mb, settings.timeout_s), (Some(256), Some(60)));
    assert_eq!(ann.stream.shards.get(), 2);
    let tags = [("stage", "ann"), ("team", "shops")].map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(ann.org.tags(), tags.into());
    assert_eq!(ann.scope("demo").prefix(), "demo-ann-");
    assert!(!ann.protect);
    // `protect` is inherited, too, unless the file sets it.
    let copy = read("copy", &[files[0], ("copy", "extends = \"base\"\n")]).expect("it is enough");
    assert!(copy.protect);
}

#[test]
fn extended_environment_errors_name_their_file() {
    let base = format!("# The base.\n{LEAST}[functions]\nmemory_mb = 64\n");
    let key = format!("{LEAST}[org.kms]\ndefault = \"{KEY}\"\n");
    let mine = |text: &'static str| ("mine", text);
    let cases: Vec<Vec<(&str, &str)>> = vec![
        vec![("base", &base), mine("extends = \"base\"\nprotect = true\n")],
        vec![("base", LEAST), mine("# Mine.\nextends = \"base\"\nprotekt = true\n")],
        vec![("base", LEAST), mine("extends = \"base\"\nprotect =\n")],
        vec![("base", "account 1\n"), mine("extends = \"base\"\n")],
        vec![("base", "account = \"111111111111\"\n"), mine("extends = \"base\"\n")],
        vec![("base", &key), mine("extends = \"base\"\nregion = \"eu-west-1\"\n")],
        vec![("base", LEAST), mine("extends = \"base\"\nfunctions = [512]\n")],
        vec![mine("\nextends = \"bass\"\n")],
        vec![mine("extends = \"../secrets\"\n")],
        vec![mine("extends = 1\n")],
        vec![mine("extends = \"mine\"\n")],
        vec![
            ("one", "# One.\nextends = \"two\"\n"),
            ("two", "extends = \"one\"\n"),
            mine("extends = \"one\"\n"),
        ],
    ];
    let said: Vec<String> =
        cases.iter().map(|files| read("mine", files).expect_err("it is not right").to_string()).collect();
    insta::assert_snapshot!(said.join("\n---\n"));
}

#[test]
fn environment_keys_are_all_documented() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/environments.md");
    let page = std::fs::read_to_string(page).expect("the page is committed");
    let tables = [
        "",
        "[build]\n",
        "[functions]\n",
        "[functions.add-item]\n",
        "[table]\n",
        "[stream]\n",
        "[alarms]\n",
        "[org]\n",
        "[org.kms]\n",
        "[org.assume_role]\n",
        "[local]\n",
    ];
    for table in tables {
        // The error for an unknown key lists the known keys.
        let error = error_of(&format!("{table}xq = 1\n{}", if table.is_empty() { LEAST } else { "" }));
        let (_, keys) = error.split_once(" keys: ").expect("an unknown key is answered with the known ones");
        let keys: Vec<&str> = keys.trim_end().split(", ").collect();
        assert!(!keys.is_empty(), "{error}");
        for key in keys {
            let inner = format!("[{}.{key}]", table.trim().trim_matches(['[', ']']));
            let forms = [format!("`{key}`"), format!("[{key}]"), inner];
            let mentioned = forms.iter().any(|form| page.contains(form));
            assert!(mentioned, "docs/environments.md does not mention `{key}` of {table:?}");
        }
    }
}

/// Editors check environment files with this schema. The first line of each file names it.
#[test]
fn schema_of_environment_files_is_committed() {
    let path = committed().join("schema.json");
    let mut schema = schemars::schema_for!(Environment);
    // A file that extends another one may omit keys that the other file has.
    schema.remove("required");
    let schema = format!("{}\n", serde_json::to_string_pretty(&schema).expect("a schema is JSON"));
    if std::env::var_os("GOLDEN_UPDATE").is_some() {
        std::fs::write(&path, &schema).expect("the folder is writable");
    }
    let committed_schema = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(schema == committed_schema, "the keys changed: GOLDEN_UPDATE=1 cargo test -p cli schema");
    for name in known(&committed()) {
        let text = std::fs::read_to_string(committed().join(format!("{name}.toml"))).expect("it is there");
        assert!(
            text.starts_with("#:schema schema.json\n"),
            "environments/{name}.toml does not name the schema"
        );
    }
}

#[test]
fn mistakes_of_a_file_are_all_reported_at_once() {
    let text = "region = 1\nacount = \"111111111111\"\n[functions]\nmemory_mb = 64\ntimeout_s = \"30\"\n\
                log_retention_days = 15\n[local]\n[stream]\nshards = [1]\n";
    insta::assert_snapshot!(error_of(text));
}

#[test]
fn documentation_examples_are_valid() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/environments.md");
    let page = std::fs::read_to_string(page).expect("the page is committed");
    let blocks: Vec<&str> =
        page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let examples: Vec<(&str, &str)> = blocks
        .iter()
        .filter_map(|block| {
            let (first, _) = block.split_once('\n')?;
            let name = first.strip_prefix("# environments/")?.strip_suffix(".toml")?;
            Some((name, *block))
        })
        .collect();
    assert!(examples.len() >= 2, "an organisation and a personal environment: {examples:?}");
    for (name, _) in &examples {
        read(name, &examples).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn function_table_has_settings_of_its_own_that_are_merged() {
    let base =
        "region = \"eu-central-1\"\naccount = \"111111111111\"\n[functions.add-item]\nmemory_mb = 512\n";
    let mine = "extends = \"base\"\n[functions]\ntimeout_s = 5\n[functions.add-item]\ntimeout_s = 9\n";
    let environment = read("mine", &[("base", base), ("mine", mine)]).expect("the files are right");
    let defaults = environment.lambda_defaults();
    let own = &defaults.overrides["add-item"];
    assert_eq!((own.memory_mb, own.timeout_s), (Some(512), Some(9)));
    assert_eq!((defaults.settings.memory_mb, defaults.settings.timeout_s), (Some(256), Some(5)));

    let cases = [
        "memory_md = 5",
        "memory_md = \"5\"",
        "memory_md = [5]",
        "memory_mb = { size = 5 }",
        "add-item = 5",
        "add-item = { memory = 512 }",
        "add-item = { memory_mb = 64, timeout_s = 901 }",
        "add-item = { tracing = \"on\", log_format = \"xml\", system_log_level = \"error\" }",
        "add-item = { reserved_concurrency = -1, ephemeral_storage_mb = 511 }",
        "add-item = { dead_letter_target = \"arn:aws:sqs:eu-central-1:111111111111:dead.fifo\" }",
        "reserved_concurrency = 5",
        "url = true",
        "add-item = { url = \"https://example.com\" }",
        "dead_letter_target = \"arn:aws:sqs:eu-central-1:111111111111:dead\"",
        "subnets = [\"subnet-1\"]\nsecurity_groups = [\"sg-0123456X\"]",
        "layers = [\"arn:aws:lambda:eu-central-1:111111111111:layer:tools\"]",
        "layers = [\n  \"arn:aws:lambda:eu-central-1:111111111111:layer:a:1\",\n  \"arn:aws:lambda:eu-west-1:111111111111:layer:a:1\",\n]",
    ];
    let said: Vec<String> =
        cases.iter().map(|case| error_of(&format!("{LEAST}[functions]\n{case}\n"))).collect();
    insta::assert_snapshot!(said.join("\n---\n"));
}

#[test]
fn function_settings_are_passed_in_words_of_lambda() {
    let (layer, queue) =
        ("arn:aws:lambda:eu-central-1:333333333333:layer:a:1", "arn:aws:sqs:eu-central-1:111111111111:dead");
    let text = format!(
        "{LEAST}[functions]\ntracing = \"pass-through\"\nlog_format = \"json\"\n\
         application_log_level = \"debug\"\nsystem_log_level = \"warn\"\nephemeral_storage_mb = 512\n\
         layers = [\"{layer}\"]\nsubnets = [\"subnet-01234567\"]\n\
         security_groups = [\"sg-0123456789abcdef0\"]\n[functions.a]\ntracing = \"active\"\n\
         log_format = \"text\"\nreserved_concurrency = 0\ndead_letter_target = \"{queue}\"\nurl = true\n"
    );
    let defaults = right(&text).lambda_defaults();
    let word = |word: &str| Some(word.to_owned());
    let all = LambdaSettings {
        memory_mb: Some(256),
        timeout_s: Some(30),
        log_retention_days: Some(14),
        tracing: word("PassThrough"),
        log_format: word("JSON"),
        application_log_level: word("DEBUG"),
        system_log_level: word("WARN"),
        ephemeral_storage_mb: Some(512),
        layers: Some(vec![layer.to_owned()]),
        subnets: Some(["subnet-01234567".to_owned()].into()),
        security_groups: Some(["sg-0123456789abcdef0".to_owned()].into()),
        ..LambdaSettings::default()
    };
    assert_eq!(defaults.settings, all);
    let own = LambdaSettings {
        tracing: word("Active"),
        log_format: word("Text"),
        reserved_concurrency: Some(0),
        dead_letter_target: word(queue),
        url: Some(true),
        ..LambdaSettings::default()
    };
    assert_eq!(defaults.overrides["a"], own);
}

#[test]
fn list_in_place_of_table_is_refused() {
    let error = error_of(&format!("{LEAST}functions = [512, 7, 30]\n"));
    assert!(error.starts_with("`functions` is a table, not a list"), "{error}");
}

#[test]
fn host_build_is_refused_for_aws() {
    let host = format!("{LEAST}[build]\nmethod = \"host\"\n");
    let error = right(&host).check_method(false).expect_err("AWS may be another machine");
    assert!(error.hint().is_some_and(|hint| hint.contains("cargo")), "{error}");
    right(&host).check_method(true).expect("an endpoint of the caller's can be on this machine");
    right(&format!("{host}[local]\nport = 4566\n")).check_method(false).expect("it is this machine");
    right(LEAST).check_method(false).expect("it is built for Lambda");
}

/// A shell completes the name of a file; Windows users write capitals.
#[test]
fn name_of_a_file_has_the_environment_as_hint() {
    for (name, meant) in [("Local", "local"), ("local.toml", "local"), ("./environments/dev.toml", "dev")] {
        let error = Environment::load(&committed(), name, AppSettings::NONE).expect_err("this is no name");
        assert_eq!(error.hint(), Some(format!("did you mean `{meant}`?")), "{name}");
    }
    let error = Environment::load(&committed(), "Q", AppSettings::NONE).expect_err("this is no name");
    assert!(error.hint().is_some_and(|hint| hint.contains("lower-case letters")), "{error}");
}

#[test]
fn missing_environment_names_existing_ones() {
    let error =
        Environment::load(&committed(), "stagin", AppSettings::NONE).expect_err("there is no such file");
    assert!(error.hint().is_some_and(|hint| hint.contains("dev, local, prod")), "{error}");
}

#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
struct OwnSettings {
    currency: String,
    days: Option<NonZeroU8>,
}

/// Reads an environment of an application with [`OwnSettings`].
fn read_own(text: &str) -> Result<Environment, String> {
    Environment::read(Path::new("environments"), "dev", AppSettings::of::<OwnSettings>(), &|_| {
        Ok(format!("{LEAST}{text}"))
    })
    .map_err(|error| error.to_string())
}

#[test]
fn settings_of_the_application_are_read_as_its_type() {
    let environment = read_own("[app]\ncurrency = \"EUR\"\ndays = 7\n").expect("the text is right");
    assert_eq!(
        environment.app::<OwnSettings>(),
        OwnSettings { currency: "EUR".to_owned(), days: NonZeroU8::new(7) }
    );
}

#[test]
fn settings_of_the_application_show_mistakes_with_all_others() {
    let error = |text| read_own(text).expect_err("the text is not right");
    let wrong = "protekt = true\n[app]\ncurrecy = \"EUR\"\ndays = \"seven\"\n";
    insta::assert_snapshot!("mistakes_in_settings_of_the_application", error(wrong));
    insta::assert_snapshot!("settings_of_the_application_are_missing", error(""));
    insta::assert_snapshot!("settings_of_the_application_are_no_table", error("app = 7\n"));
    let none = error_of(&format!("{LEAST}[app]\ncurrency = \"EUR\"\n"));
    assert!(none.contains("`currency` is not a key here: this program has no settings of its own"), "{none}");
}

#[test]
fn settings_of_the_application_in_a_list_are_reported() {
    for (text, said) in [
        ("[[app]]\n", "`app` is a table, not a list: [app]"),
        ("[[functions.add-item]]\n", "`functions.add-item` is a table, not a list: [functions.add-item]"),
        ("[stream]\nmode = 1\n", "expected a string"),
    ] {
        let error = error_of(&format!("{LEAST}{text}"));
        assert!(error.contains(said), "{error}");
    }
    let too_large = read_own("[app]\ncurrency = \"EUR\"\ndays = 700\n").expect_err("256 is too large");
    assert!(too_large.contains("expected a whole number from 1 to 255, found the number 700"), "{too_large}");
}
