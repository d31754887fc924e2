package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// The file of tests/ whose plans are compared.
const planFile = "tests/plans.tftest.hcl"

// The form of a generated value, and what stands for one that is left out.
var made = regexp.MustCompile("^[a-z0-9]{8}$")

const dropped = "‹›"

type change struct {
	Address, Mode, Type, Name string
	Change                    struct {
		After        map[string]any
		AfterUnknown map[string]any `json:"after_unknown"`
	}
}

type plan struct {
	Resources []change                       `json:"resource_changes"`
	Outputs   map[string]struct{ After any } `json:"output_changes"`
}

// plans runs tests/plans.tftest.hcl twice. What AWS would compute is made up anew each time, so a value
// that differs is generated, and is shown by the name of the attribute that has it: the text says which
// value went where, and is the same every time.
func plans(root, schemas string, write bool) (problems []string, summary string, err error) {
	var both [2]map[string]plan
	errs := make(chan error, 2)
	for i := range both {
		go func() {
			var err error
			both[i], err = planned(root)
			errs <- err
		}()
	}
	for range both {
		if err := <-errs; err != nil {
			return nil, "", err
		}
	}
	computed, err := readComputed(schemas)
	if err != nil {
		return nil, "", err
	}
	if len(both[0]) == 0 {
		return nil, "", fmt.Errorf("%s has no run", planFile)
	}
	resources := 0
	for _, run := range slices.Sorted(maps.Keys(both[0])) {
		resources += len(both[0][run].Resources)
		now := render(both[0][run], both[1][run], computed)
		file := filepath.Join(root, "tests", "plans", run+".txt")
		if write {
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				return nil, "", err
			}
			if err := os.WriteFile(file, []byte(now), 0o644); err != nil {
				return nil, "", err
			}
			continue
		}
		was, err := os.ReadFile(file)
		if err != nil {
			return nil, "", err
		}
		problems = append(problems, differences(run, string(was), now)...)
	}
	return problems, fmt.Sprintf("plans: %d, of %d resources and documents", len(both[0]), resources), nil
}

func planned(root string) (map[string]plan, error) {
	cmd := exec.Command("terraform", "test", "-json", "-verbose", "-filter="+planFile)
	cmd.Dir = root
	output, failed := cmd.Output()
	out := map[string]plan{}
	for line := range bytes.Lines(output) {
		var message struct {
			Type       string
			Run        string `json:"@testrun"`
			Plan       plan   `json:"test_plan"`
			Diagnostic struct{ Summary, Detail string }
		}
		if err := json.Unmarshal(line, &message); err != nil {
			return nil, err
		}
		switch message.Type {
		case "test_plan":
			out[message.Run] = message.Plan
		case "diagnostic":
			return nil, fmt.Errorf("%s: %s %s", planFile, message.Diagnostic.Summary, message.Diagnostic.Detail)
		}
	}
	if failed != nil {
		return nil, fmt.Errorf("terraform test: %w", failed)
	}
	return out, nil
}

// readComputed says of each attribute that a provider computes whether a configuration may set it, too.
func readComputed(dir string) (map[string]map[string]bool, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.schema.json"))
	if err != nil {
		return nil, err
	}
	out := map[string]map[string]bool{}
	for _, file := range files {
		var doc struct {
			Providers map[string]struct {
				Resources map[string]struct {
					Block struct {
						Attributes map[string]struct{ Computed, Optional bool }
					}
				} `json:"resource_schemas"`
			} `json:"provider_schemas"`
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(text, &doc); err != nil {
			return nil, err
		}
		for _, provider := range doc.Providers {
			for kind, resource := range provider.Resources {
				out[kind] = map[string]bool{}
				for name, attribute := range resource.Block.Attributes {
					if attribute.Computed {
						out[kind][name] = attribute.Optional
					}
				}
			}
		}
	}
	return out, nil
}

func render(a, b plan, computed map[string]map[string]bool) string {
	other := map[string]map[string]any{}
	for _, resource := range b.Resources {
		other[resource.Address] = resource.Change.After
	}
	names := map[string]string{} // of generated values
	generated := func(optional bool) {
		for _, resource := range a.Resources {
			for _, name := range slices.Sorted(maps.Keys(resource.Change.After)) {
				may, is := computed[resource.Type][name]
				value, text := resource.Change.After[name].(string)
				if is && may == optional && text && resource.Mode == "managed" && value != other[resource.Address][name] && names[value] == "" {
					names[value] = "‹" + resource.Address + "." + name + "›"
				}
			}
		}
	}
	generated(false)
	generated(true)
	seen := map[string]bool{}
	for _, resource := range b.Resources {
		leaves(resource.Change.After, seen)
	}
	for _, resource := range a.Resources {
		mine := map[string]bool{}
		leaves(resource.Change.After, mine)
		for value := range mine {
			// Of a block within a resource, or of a document: it goes nowhere else by name.
			if made.MatchString(value) && !seen[value] && names[value] == "" {
				names[value] = dropped
			}
		}
	}

	var out strings.Builder
	out.WriteString("# Made by `tools/terraform-test --write`. ‹…› is a value that AWS computes, by the attribute that has it.\n")
	slices.SortFunc(a.Resources, func(x, y change) int { return strings.Compare(x.Address, y.Address) })
	for _, resource := range a.Resources {
		fmt.Fprintf(&out, "\n%s\n", resource.Address)
		for _, name := range slices.Sorted(maps.Keys(resource.Change.After)) {
			optional, is := computed[resource.Type][name]
			if is && !optional && resource.Mode == "managed" {
				continue
			}
			value := plain(resource.Change.After[name], names)
			if value == nil || value == "‹"+resource.Address+"."+name+"›" {
				continue
			}
			fmt.Fprintf(&out, "  %s = %s\n", name, encode(value))
		}
	}
	out.WriteString("\noutputs\n")
	for _, name := range slices.Sorted(maps.Keys(a.Outputs)) {
		fmt.Fprintf(&out, "  %s = %s\n", name, encode(plain(a.Outputs[name].After, names)))
	}
	return out.String()
}

// plain replaces generated values, drops what is empty and orders what has no order.
func plain(value any, names map[string]string) any {
	switch v := value.(type) {
	case string:
		if strings.HasPrefix(v, "{") {
			var document any
			if json.Unmarshal([]byte(v), &document) == nil {
				return plain(document, names)
			}
		}
		if name, ok := names[v]; ok && name == dropped {
			return nil
		} else if ok {
			return name
		}
		for generated, name := range names {
			if len(generated) >= 8 && name != dropped {
				v = strings.ReplaceAll(v, generated, name)
			}
		}
		return v
	case []any:
		items := make([]any, 0, len(v))
		for _, item := range v {
			items = append(items, plain(item, names))
		}
		if len(items) == 0 {
			return nil
		}
		slices.SortFunc(items, func(x, y any) int { return strings.Compare(encode(x), encode(y)) })
		return items
	case map[string]any:
		fields := map[string]any{}
		for name, field := range v {
			if kept := plain(field, names); kept != nil {
				fields[name] = kept
			}
		}
		if len(fields) == 0 {
			return nil
		}
		return fields
	}
	return value
}

// leaves gathers every string within a value.
func leaves(value any, into map[string]bool) {
	switch v := value.(type) {
	case string:
		into[v] = true
	case []any:
		for _, item := range v {
			leaves(item, into)
		}
	case map[string]any:
		for _, field := range v {
			leaves(field, into)
		}
	}
}

func encode(value any) string {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err) // It came from JSON.
	}
	return strings.TrimSpace(out.String())
}

// differences names the lines that one text has and the other has not, under their resources.
func differences(run, was, now string) (out []string) {
	index := func(text string) map[string]bool {
		lines, resource := map[string]bool{}, ""
		for _, line := range strings.Split(text, "\n") {
			if strings.HasPrefix(line, "  ") {
				lines[resource+line] = true
			} else if line != "" {
				resource = line
				lines[resource] = true
			}
		}
		return lines
	}
	before, after := index(was), index(now)
	for _, line := range slices.Sorted(maps.Keys(before)) {
		if !after[line] {
			out = append(out, run+": no longer planned: "+line)
		}
	}
	for _, line := range slices.Sorted(maps.Keys(after)) {
		if !before[line] {
			out = append(out, run+": planned and not in the text: "+line)
		}
	}
	return out
}
