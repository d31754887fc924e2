// Command tfcheck looks at Terraform as terraform itself does not: rules of the house, tables of READMEs,
// planned attributes against a text, and whether the tests notice when a line is broken.
//
//	tfcheck rules ROOT SCHEMAS          every rule of rules.go, over all modules below ROOT
//	tfcheck docs [-write] ROOT          inputs and outputs of each README
//	tfcheck plans [-write] ROOT SCHEMAS planned attributes against ROOT/tests/plans (below tfstub)
//	tfcheck breaks ROOT TABLE           each break must turn a test red (below tfstub)
//
// It prints what is wrong, one a line, and a count; it exits with 1 when there is anything.
package main

import (
	"fmt"
	"os"
	"slices"
)

func main() {
	args := slices.Clone(os.Args[1:])
	write := false
	if i := slices.Index(args, "-write"); i >= 0 {
		write, args = true, slices.Delete(args, i, i+1)
	}
	command := ""
	if len(args) > 0 {
		command, args = args[0], args[1:]
	}
	var problems []string
	var summary string
	var err error
	switch {
	case command == "rules" && len(args) == 2:
		problems, summary, err = rules(args[0], args[1])
	case command == "docs" && len(args) == 1:
		problems, summary, err = docs(args[0], write)
	case command == "plans" && len(args) == 2:
		problems, summary, err = plans(args[0], args[1], write)
	case command == "breaks" && len(args) == 2:
		problems, summary, err = breaks(args[0], args[1])
	default:
		err = fmt.Errorf("usage: tfcheck rules|docs|plans|breaks …; see the README")
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "tfcheck: %v\n", err)
		os.Exit(2)
	}
	for _, problem := range problems {
		fmt.Println("error: " + problem)
	}
	fmt.Println(summary)
	if len(problems) > 0 {
		os.Exit(1)
	}
}
