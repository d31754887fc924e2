package main

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

func number(n float64) *float64 { return &n }

func TestANumberAtItsLimitsIsAcceptedAndBesideThemIsNot(t *testing.T) {
	r := rule{Min: number(1024), Max: number(65535), Except: [][2]float64{{2375, 2376}}}
	for value, accepted := range map[int]bool{1023: false, 1024: true, 2374: true, 2375: false, 2376: false, 2377: true, 65535: true, 65536: false} {
		if problem := r.problem(tftypes.NewValue(tftypes.Number, value)); (problem == "") != accepted {
			t.Errorf("%d: %q", value, problem)
		}
	}
}

func TestATextIsMeasuredInCharacters(t *testing.T) {
	r := rule{Max: number(3)}
	if problem := r.problem(tftypes.NewValue(tftypes.String, "ção")); problem != "" {
		t.Error(problem)
	}
	if r.problem(tftypes.NewValue(tftypes.String, "ções")) == "" {
		t.Error("four characters are accepted")
	}
}

func TestEachElementIsJudged(t *testing.T) {
	r := rule{Each: &rule{Pattern: "^subnet-"}}
	list := tftypes.List{ElementType: tftypes.String}
	of := func(texts ...string) tftypes.Value {
		var items []tftypes.Value
		for _, text := range texts {
			items = append(items, tftypes.NewValue(tftypes.String, text))
		}
		return tftypes.NewValue(list, items)
	}
	if problem := r.problem(of("subnet-a", "subnet-b")); problem != "" {
		t.Error(problem)
	}
	if r.problem(of("subnet-a", "sg-b")) == "" {
		t.Error("an element of another form is accepted")
	}
}

func TestAValueThatIsNotKnownYetIsNotJudged(t *testing.T) {
	r := rule{OneOf: []string{"a"}}
	for _, value := range []any{nil, tftypes.UnknownValue} {
		if problem := r.problem(tftypes.NewValue(tftypes.String, value)); problem != "" {
			t.Error(problem)
		}
	}
}
