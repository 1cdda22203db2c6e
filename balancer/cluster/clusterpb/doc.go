// Package clusterpb is the cluster service as protobuf. See cluster.proto.
package clusterpb
