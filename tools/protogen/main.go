// Command protogen turns .proto files into Go code: messages with
// protoc-gen-go and gRPC services with protoc-gen-go-grpc, beside their source.
// Run it from the root of the repository:
//
//	go -C tools run ./protogen -root .. raftstate/statepb/state.proto
//
// It needs nothing but Go. protoc is a C++ program that go.mod cannot pin, and
// its version is written into every generated file, so two developers would
// get two outputs. buf is a far larger tool for the one call that is needed
// here, and its plugins come from a remote registry by default. This program
// compiles with buf's own compiler library, and both plugins are tools of
// tools/go.mod, so one commit always generates the same bytes.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/protoutil"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("protogen: ")
	root := flag.String("root", "..", "`directory` that the .proto names and their imports are relative to")
	flag.Parse()
	if flag.NArg() == 0 {
		log.Fatal("name at least one .proto file, relative to -root")
	}
	if err := generate(*root, flag.Args()); err != nil {
		log.Fatal(err)
	}
}

func generate(root string, names []string) error {
	req, err := compile(root, names)
	if err != nil {
		return err
	}
	for _, plugin := range []string{"protoc-gen-go", "protoc-gen-go-grpc"} {
		resp, err := run(plugin, req)
		if err != nil {
			return fmt.Errorf("%s: %w", plugin, err)
		}
		if err := write(root, resp); err != nil {
			return err
		}
	}
	return nil
}

// compile parses and links the named files, with comments, into the request
// that protoc would send to a plugin.
func compile(root string, names []string) (*pluginpb.CodeGeneratorRequest, error) {
	c := protocompile.Compiler{
		Resolver: protocompile.WithStandardImports(&protocompile.SourceResolver{
			ImportPaths: []string{root},
		}),
		SourceInfoMode: protocompile.SourceInfoStandard,
	}
	files, err := c.Compile(context.Background(), names...)
	if err != nil {
		return nil, err
	}
	req := &pluginpb.CodeGeneratorRequest{
		FileToGenerate: names,
		Parameter:      proto.String("paths=source_relative"),
	}
	seen := map[string]bool{}
	for _, f := range files {
		req.ProtoFile = appendWithImports(req.ProtoFile, f, seen)
	}
	return req, nil
}

// appendWithImports adds f behind everything that it imports, the order that
// plugins rely on.
func appendWithImports(to []*descriptorpb.FileDescriptorProto, f protoreflect.FileDescriptor, seen map[string]bool) []*descriptorpb.FileDescriptorProto {
	if seen[f.Path()] {
		return to
	}
	seen[f.Path()] = true
	for i := range f.Imports().Len() {
		to = appendWithImports(to, f.Imports().Get(i).FileDescriptor, seen)
	}
	return append(to, protoutil.ProtoFromFileDescriptor(f))
}

// run pipes the request through a plugin. "go tool" finds the version that
// the go.mod of the working directory pins: this module's, under "go -C tools".
func run(plugin string, req *pluginpb.CodeGeneratorRequest) (*pluginpb.CodeGeneratorResponse, error) {
	in, err := proto.Marshal(req)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("go", "tool", plugin)
	cmd.Stdin, cmd.Stderr = bytes.NewReader(in), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	resp := new(pluginpb.CodeGeneratorResponse)
	if err := proto.Unmarshal(out, resp); err != nil {
		return nil, err
	}
	if resp.Error != nil {
		return nil, errors.New(resp.GetError())
	}
	return resp, nil
}

func write(root string, resp *pluginpb.CodeGeneratorResponse) error {
	for _, f := range resp.GetFile() {
		path := filepath.Join(root, filepath.FromSlash(f.GetName()))
		if err := os.WriteFile(path, []byte(f.GetContent()), 0o644); err != nil {
			return err
		}
	}
	return nil
}
