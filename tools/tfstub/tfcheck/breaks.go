package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// broken is one line of the code made wrong, and the check that has to see it.
type broken struct {
	what, file, was, becomes string
	check                    string // a run as "file/run", of which plans/run compares the plan, or "rules" or "docs"
}

// breaks makes each break in a copy of its own, and runs the check that has to see it.
func breaks(root, table string) (problems []string, summary string, err error) {
	list, err := readTable(table)
	if err != nil {
		return nil, "", err
	}
	// A check that is red without a break would see all of them: one of each file has to be green.
	controls := map[string]bool{}
	for _, b := range list[:len(list):len(list)] {
		if file, _, _ := strings.Cut(b.check, "/"); !controls[file] {
			controls[file] = true
			list = append(list, broken{what: "nothing", file: b.file, was: b.was, becomes: b.was, check: b.check})
		}
	}
	results := make([]string, len(list))
	work := make(chan int)
	var workers sync.WaitGroup
	for range max(2, runtime.NumCPU()) {
		workers.Go(func() {
			for i := range work {
				if err := list[i].caught(root, filepath.Dir(table)); err != nil {
					results[i] = fmt.Sprintf("%s (%s): %v", list[i].what, list[i].file, err)
				}
			}
		})
	}
	for i := range list {
		work <- i
	}
	close(work)
	workers.Wait()
	for _, result := range results {
		if result != "" {
			problems = append(problems, result)
		}
	}
	summary = fmt.Sprintf("breaks: %d of %d caught, and %d checks green without one", len(list)-len(controls)-len(problems), len(list)-len(controls), len(controls))
	return problems, summary, nil
}

func readTable(table string) (out []broken, err error) {
	text, err := os.ReadFile(table)
	if err != nil {
		return nil, err
	}
	for _, entry := range strings.Split(string(text), "\n\n") {
		lines := slices.DeleteFunc(strings.Split(entry, "\n"), func(line string) bool {
			return strings.HasPrefix(line, "#") || strings.TrimSpace(line) == ""
		})
		if len(lines) == 0 {
			continue
		}
		if len(lines) != 5 || !strings.HasPrefix(lines[2], "- ") || !strings.HasPrefix(lines[3], "+ ") && lines[3] != "+" || !strings.HasPrefix(lines[4], "seen by ") {
			return nil, fmt.Errorf("%s: not an entry of five lines:\n%s", table, entry)
		}
		out = append(out, broken{what: lines[0], file: lines[1], was: lines[2][2:], becomes: strings.TrimPrefix(strings.TrimPrefix(lines[3], "+"), " "), check: strings.TrimPrefix(lines[4], "seen by ")})
	}
	return out, nil
}

// caught is an error when the break goes unseen, or is seen for another reason than itself.
func (b broken) caught(root, tools string) error {
	work, err := os.MkdirTemp("", "break")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if err := copyTree(root, work); err != nil {
		return err
	}
	file := filepath.Join(work, b.file)
	source, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if !bytes.Contains(source, []byte(b.was)) {
		return fmt.Errorf("the line is not there: %q", b.was)
	}
	if err := os.WriteFile(file, bytes.Replace(source, []byte(b.was), []byte(b.becomes), 1), 0o644); err != nil {
		return err
	}
	var seen []string
	check, run, _ := strings.Cut(b.check, "/")
	switch check {
	case "rules":
		seen, _, err = rules(work, filepath.Join(tools, "schemas"))
	case "docs":
		seen, _, err = docs(work, false)
	case "plans":
		if err := keepRun(filepath.Join(work, planFile), run); err != nil {
			return err
		}
		seen, _, err = plans(work, filepath.Join(tools, "schemas"), false)
	default:
		seen, err = b.run(work)
	}
	if b.was == b.becomes {
		if err == nil && len(seen) > 0 {
			err = fmt.Errorf("%s is red without a break: %s", b.check, seen[0])
		}
		return err
	}
	if err == nil && len(seen) == 0 {
		err = fmt.Errorf("nobody noticed: %s is still green", b.check)
	}
	return err
}

// run runs one run of one file, and tells which assertions failed.
func (b broken) run(work string) (seen []string, err error) {
	name, run, _ := strings.Cut(b.check, "/")
	test := filepath.Join("tests", name+".tftest.hcl")
	if err := keepRun(filepath.Join(work, test), run); err != nil {
		return nil, err
	}
	cmd := exec.Command("terraform", "test", "-json", "-filter="+test)
	cmd.Dir = work
	output, _ := cmd.Output()
	var other []string
	for line := range bytes.Lines(output) {
		var message struct {
			Type       string
			Diagnostic struct{ Severity, Summary, Detail string }
		}
		if err := json.Unmarshal(line, &message); err != nil {
			return nil, err
		}
		if d := message.Diagnostic; message.Type == "diagnostic" && d.Severity == "error" {
			switch {
			case d.Summary == "Test assertion failed", d.Summary == "Missing expected failure",
				strings.HasPrefix(d.Summary, "Invalid value for "), d.Summary == "Missing required argument", d.Summary == "Unsupported argument",
				d.Summary == "Reference to undeclared resource", d.Summary == "Unsupported attribute", d.Summary == "Invalid index", d.Summary == "Reference to undeclared output value":
				seen = append(seen, d.Detail)
			default:
				other = append(other, d.Summary+": "+d.Detail)
			}
		}
	}
	if len(seen) == 0 && len(other) > 0 {
		return nil, fmt.Errorf("it is seen for another reason: %s", other[0])
	}
	return seen, nil
}

// keepRun drops every run of a file but one, since runs do not depend on each other.
func keepRun(file, name string) error {
	blocks, source, err := parse(file)
	if err != nil {
		return err
	}
	keep := slices.IndexFunc(blocks, func(block *hclsyntax.Block) bool {
		return block.Type == "run" && block.Labels[0] == name
	})
	if keep < 0 {
		return fmt.Errorf("no run %q", name)
	}
	var out bytes.Buffer
	for i, block := range blocks {
		if block.Type != "run" || i == keep {
			out.Write(source[block.Range().Start.Byte:block.Body.EndRange.End.Byte])
			out.WriteString("\n\n")
		}
	}
	return os.WriteFile(file, out.Bytes(), 0o644)
}

func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, relative)
		if entry.IsDir() {
			return os.MkdirAll(target, 0o755)
		}
		if !entry.Type().IsRegular() {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, text, 0o644)
	})
}
