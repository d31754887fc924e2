package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/hashicorp/go-version"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// What a plan does not show, and so no test can see: it is held to the text.
var settings = []struct{ dir, kind, name, setting, has string }{
	{"modules/influxdb", "aws_timestreaminfluxdb_db_instance", "this", "lifecycle.prevent_destroy", "true"},
	{"modules/influxdb", "aws_timestreaminfluxdb_db_instance", "this", "lifecycle.ignore_changes", "[password]"},
	{"modules/influxdb", "aws_timestreaminfluxdb_db_instance", "this", "depends_on", "[aws_s3_bucket_policy.logs]"},
	{"modules/influxdb", "aws_s3_bucket_policy", "logs", "depends_on", "[aws_s3_bucket_public_access_block.logs]"},
	{"modules/influxdb", "aws_s3_bucket_policy", "logs", "policy", "data.aws_iam_policy_document.logs[0].json"},
	{"modules/influxdb", "aws_s3_bucket_lifecycle_configuration", "logs", "depends_on", "[aws_s3_bucket_versioning.logs]"},
	{"modules/influxdb", "aws_iam_policy", "reader", "policy", "data.aws_iam_policy_document.reader.json"},
	{"modules/influxdb", "aws_iam_policy", "writer", "policy", "data.aws_iam_policy_document.writer.json"},
	{"modules/influxdb", "aws_iam_policy", "operator", "policy", "data.aws_iam_policy_document.operator.json"},
	{"modules/network", "aws_nat_gateway", "this", "depends_on", "[aws_internet_gateway.this]"},
	{"modules/runner", "aws_s3_bucket_policy", "results", "depends_on", "[aws_s3_bucket_public_access_block.results]"},
	{"modules/runner", "aws_s3_bucket_lifecycle_configuration", "results", "depends_on", "[aws_s3_bucket_versioning.results]"},
	{"modules/traffic_switching", "aws_appconfig_hosted_configuration_version", "initial", "lifecycle.ignore_changes", "[content]"},
}

// The constraints that every folder states.
const terraformConstraint, awsConstraint = ">= 1.9", ">= 6.45, < 7"

type ruler struct {
	root     string
	problems []string
	checked  int
}

func (r *ruler) hold(ok bool, format string, args ...any) {
	r.checked++
	if !ok {
		r.problems = append(r.problems, fmt.Sprintf(format, args...))
	}
}

func rules(root, schemas string) ([]string, string, error) {
	r := &ruler{root: root}
	dirs, err := folders(root)
	if err != nil {
		return nil, "", err
	}
	catalogue, err := readCatalogue(schemas)
	if err != nil {
		return nil, "", err
	}
	modules := map[string]*module{}
	for _, dir := range dirs {
		m, err := load(root, dir)
		if err != nil {
			return nil, "", err
		}
		modules[dir] = m
		r.files(m)
		r.versions(m, catalogue)
		r.variables(m)
		r.outputs(m)
		r.resources(m, catalogue)
		r.suppressions(m)
	}
	r.settings(modules)
	r.told(modules)
	if err := r.refusals(modules); err != nil {
		return nil, "", err
	}
	return r.problems, fmt.Sprintf("rules: %d held over %d folders", r.checked, len(dirs)), nil
}

// catalogue is what the schemas say: the providers' versions, and which resources have tags.
type catalogue struct {
	versions map[string]string // by "hashicorp/aws"
	tagged   map[string]bool
}

func readCatalogue(dir string) (*catalogue, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.schema.json"))
	if err != nil {
		return nil, err
	}
	out := &catalogue{versions: map[string]string{}, tagged: map[string]bool{}}
	for _, file := range files {
		var doc struct {
			Version   string `json:"provider_version"`
			Providers map[string]struct {
				Resources map[string]struct {
					Block struct{ Attributes map[string]json.RawMessage }
				} `json:"resource_schemas"`
			} `json:"provider_schemas"`
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(text, &doc); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		for address, provider := range doc.Providers {
			out.versions[strings.TrimPrefix(address, "registry.terraform.io/")] = doc.Version
			for name, resource := range provider.Resources {
				_, out.tagged[name] = resource.Block.Attributes["tags"]
			}
		}
	}
	return out, nil
}

func (r *ruler) files(m *module) {
	for _, name := range []string{"main.tf", "outputs.tf", "variables.tf", "versions.tf", "README.md"} {
		_, err := os.Stat(filepath.Join(r.root, m.dir, name))
		r.hold(err == nil, "%s has no %s", m.dir, name)
	}
}

// versions: a stand-in that is attached does not look at constraints, so they are looked at here.
func (r *ruler) versions(m *module, c *catalogue) {
	blocks := m.of("terraform")
	r.hold(len(blocks) == 1, "%s must have one terraform block", m.dir)
	for _, block := range blocks {
		required := m.literal(block.Body, "required_version")
		r.hold(required == terraformConstraint, "%s: required_version is %q, not %q", m.dir, required, terraformConstraint)
		for _, providers := range inner(block.Body, "required_providers") {
			for name, attribute := range providers.Body.Attributes {
				value, problems := attribute.Expr.Value(nil)
				if problems.HasErrors() {
					r.hold(false, "%s: the provider %s is not a plain object", m.dir, name)
					continue
				}
				source, constraint := value.GetAttr("source").AsString(), value.GetAttr("version").AsString()
				r.hold(name != "aws" || constraint == awsConstraint, "%s: the constraint on aws is %q, not %q", m.dir, constraint, awsConstraint)
				served, known := c.versions[source]
				r.hold(known, "%s: no schema for %s", m.dir, source)
				limits, err := version.NewConstraint(constraint)
				r.hold(err == nil && known && limits.Check(version.Must(version.NewVersion(served))),
					"%s: %q does not admit %s %s, whose schema the tests use", m.dir, constraint, source, served)
			}
		}
	}
	r.hold(strings.HasPrefix(m.dir, "examples") || len(m.of("provider")) == 0, "%s must take its provider from its caller", m.dir)
}

func (r *ruler) variables(m *module) {
	for _, block := range m.of("variable") {
		at := place(r.root, block.DefRange()) + " `" + block.Labels[0] + "`"
		fallback := m.text(block.Body, "default")
		r.hold(m.text(block.Body, "type") != "", "%s has no type", at)
		r.hold(strings.HasSuffix(m.literal(block.Body, "description"), "."), "%s has no description that is a sentence", at)
		// Null is a value only where the description says what it means.
		means := regexp.MustCompile(`\bnull\b`).MatchString(m.literal(block.Body, "description"))
		r.hold(fallback == "null" || m.text(block.Body, "nullable") == "false" || means,
			"%s must have nullable = false, or say what null means", at)
		r.hold(!strings.Contains(block.Labels[0], "password") || m.text(block.Body, "sensitive") == "true", "%s must be sensitive", at)
		for _, rule := range inner(block.Body, "validation") {
			message := m.text(rule.Body, "error_message")
			r.hold(strings.Contains(message, "`"+block.Labels[0]+"`"), "%s has a message that does not name it", at)
		}
	}
}

func (r *ruler) outputs(m *module) {
	for _, block := range m.of("output") {
		at := place(r.root, block.DefRange()) + " `" + block.Labels[0] + "`"
		r.hold(strings.HasSuffix(m.literal(block.Body, "description"), "."), "%s has no description that is a sentence", at)
		r.hold(!strings.Contains(m.text(block.Body, "value"), "password"), "%s tells a secret", at)
	}
}

var written = regexp.MustCompile(`jsonencode|<<|^"`)

func (r *ruler) resources(m *module, c *catalogue) {
	for _, block := range m.of("resource") {
		kind, at := block.Labels[0], place(r.root, block.DefRange())+" "+strings.Join(block.Labels, ".")
		tagged, known := c.tagged[kind]
		r.hold(known, "%s: no schema for the resource", at)
		_, tags := block.Body.Attributes["tags"]
		r.hold(!tagged || tags, "%s has no tags", at)
		r.hold(kind != "aws_security_group_rule", "%s: a rule must be an aws_vpc_security_group_*_rule", at)
		inline := len(inner(block.Body, "ingress")) + len(inner(block.Body, "egress"))
		_, listed := block.Body.Attributes["ingress"]
		r.hold(!strings.HasSuffix(kind, "security_group") || inline == 0 && !listed, "%s has inline rules", at)
		if kind != "aws_ecr_lifecycle_policy" {
			for _, name := range []string{"policy", "assume_role_policy"} {
				r.hold(!written.MatchString(m.text(block.Body, name)), "%s: %s must come from an aws_iam_policy_document", at, name)
			}
		}
	}
}

var skip = regexp.MustCompile(`checkov:skip=([A-Z0-9_]+)(.*)`)

func (r *ruler) suppressions(m *module) {
	for file, source := range m.source {
		for number, line := range strings.Split(string(source), "\n") {
			if found := skip.FindStringSubmatch(line); found != nil {
				reason := strings.TrimSpace(strings.TrimPrefix(found[2], ":"))
				r.hold(len(reason) >= 9, "%s:%d: the suppression of %s has no reason", filepath.Base(file), number+1, found[1])
			}
		}
	}
}

func (r *ruler) settings(modules map[string]*module) {
	for _, s := range settings {
		m := modules[s.dir]
		block := m.find("resource", s.kind, s.name)
		if block == nil {
			r.hold(false, "%s has no %s.%s", s.dir, s.kind, s.name)
			continue
		}
		body, name := block.Body, s.setting
		if outer, rest, nested := strings.Cut(s.setting, "."); nested {
			found := inner(block.Body, outer)
			if len(found) != 1 {
				r.hold(false, "%s: %s.%s has no %s", s.dir, s.kind, s.name, outer)
				continue
			}
			body, name = found[0].Body, rest
		}
		r.hold(m.text(body, name) == s.has, "%s: %s.%s must have %s = %s, and has %q", s.dir, s.kind, s.name, s.setting, s.has, m.text(body, name))
	}
}

// told: what `cutover` reads is told by the root and by each example, under the same name.
func (r *ruler) told(modules map[string]*module) {
	root := modules["."]
	for _, locals := range root.of("locals") {
		attribute, ok := locals.Body.Attributes["stack_output"]
		if !ok {
			continue
		}
		object, ok := attribute.Expr.(*hclsyntax.ObjectConsExpr)
		r.hold(ok, "local.stack_output must be a plain object")
		for _, item := range object.Items {
			name, problems := item.KeyExpr.Value(nil)
			if problems.HasErrors() {
				r.hold(false, "local.stack_output must have plain names")
				continue
			}
			output := root.find("output", name.AsString())
			r.hold(output != nil, "local.stack_output.%s has no output", name.AsString())
			if output != nil {
				want := "local.stack_output." + name.AsString()
				r.hold(root.text(output.Body, "value") == want, "the output %s must be %s", name.AsString(), want)
			}
		}
	}
	for dir, m := range modules {
		if !strings.HasPrefix(dir, "examples") {
			continue
		}
		for _, output := range root.of("output") {
			told := m.find("output", output.Labels[0])
			r.hold(told != nil && m.text(told.Body, "value") == "module.stack."+output.Labels[0], "%s must tell the stack's output %s", dir, output.Labels[0])
		}
	}
}

// refusals: each rule of a variable has a run that expects it to refuse.
func (r *ruler) refusals(modules map[string]*module) error {
	expected := map[string]int{} // by "folder variable"
	for dir := range modules {
		files, err := filepath.Glob(filepath.Join(r.root, dir, "tests", "*.tftest.hcl"))
		if err != nil {
			return err
		}
		for _, file := range files {
			blocks, source, err := parse(file)
			if err != nil {
				return err
			}
			tests := &module{dir: dir, blocks: blocks, source: map[string][]byte{file: source}}
			for _, run := range tests.of("run") {
				under := dir
				for _, used := range inner(run.Body, "module") {
					under = filepath.Join(dir, tests.literal(used.Body, "source"))
				}
				for _, name := range strings.FieldsFunc(tests.text(run.Body, "expect_failures"), func(c rune) bool { return strings.ContainsRune("[], ", c) }) {
					expected[under+" "+strings.TrimPrefix(name, "var.")]++
				}
				asserts := len(inner(run.Body, "assert"))
				r.hold(asserts > 0 || tests.text(run.Body, "expect_failures") != "", "%s: the run %q checks nothing", place(r.root, run.DefRange()), run.Labels[0])
			}
		}
	}
	for dir, m := range modules {
		for _, block := range m.of("variable") {
			need, have := len(inner(block.Body, "validation")), expected[dir+" "+block.Labels[0]]
			r.hold(have >= need, "%s: `%s` has %d rules and %d runs in which it is refused", dir, block.Labels[0], need, have)
		}
	}
	return nil
}
