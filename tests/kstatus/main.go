// Kstatus tells what kstatus and `kubectl rollout status` make of objects, as a witness for the
// rules of src/rollout/verdict.c. Reads a JSON list of objects, writes a list of
// {"kstatus", "message", "rollout"}; rollout is "done", "waits", "failed", or "" for other kinds.
package main

import (
	"encoding/json"
	"log"
	"os"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/kubectl/pkg/polymorphichelpers"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

type answer struct {
	Kstatus string `json:"kstatus"`
	Message string `json:"message"`
	Rollout string `json:"rollout"`
}

func rollout(object *unstructured.Unstructured) string {
	viewer, err := polymorphichelpers.StatusViewerFor(object.GroupVersionKind().GroupKind())
	if err != nil {
		return ""
	}
	_, done, err := viewer.Status(object, 0)
	switch {
	case err != nil && done:
		return "" // not for this update strategy
	case err != nil:
		return "failed"
	case done:
		return "done"
	}
	return "waits"
}

func main() {
	var texts []json.RawMessage
	if err := json.NewDecoder(os.Stdin).Decode(&texts); err != nil {
		log.Fatal(err)
	}
	answers := make([]answer, len(texts))
	for i, text := range texts {
		var object unstructured.Unstructured
		if err := object.UnmarshalJSON(text); err != nil {
			log.Fatalf("object %d: %v", i, err)
		}
		result, err := status.Compute(&object)
		if err != nil {
			answers[i] = answer{string(status.UnknownStatus), err.Error(), rollout(&object)}
			continue
		}
		answers[i] = answer{result.Status.String(), result.Message, rollout(&object)}
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		log.Fatal(err)
	}
}
