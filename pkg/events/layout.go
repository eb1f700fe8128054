package events

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"
)

// Sizes of the streams, in bytes. Together they stay below the server's own
// limit, so that a full bus says so instead of meeting a full disk.
const (
	eventBytes      = 1 << 30
	deadLetterBytes = 64 << 20
	sealedBytes     = 128 << 20
	replayBytes     = 8 << 20
	advisoryBytes   = 16 << 20
	bucketBytes     = 256 << 20
	// StoreBytes is what the whole layout may take on disk.
	StoreBytes = eventBytes + deadLetterBytes + sealedBytes + replayBytes + advisoryBytes + 5*bucketBytes
)

// Provision creates or updates every stream, durable consumer and bucket of the
// contract. Only the bootstrap identity may; it is idempotent.
func Provision(ctx context.Context, js jetstream.JetStream) error {
	streams, streamsCtx := errgroup.WithContext(ctx)
	for _, cfg := range Streams() {
		streams.Go(func() error {
			if _, err := js.CreateOrUpdateStream(streamsCtx, cfg); err != nil {
				return fmt.Errorf("create stream %s: %w", cfg.Name, err)
			}
			return nil
		})
	}
	for _, b := range Buckets() {
		streams.Go(func() error { return provisionBucket(streamsCtx, js, b) })
	}
	if err := streams.Wait(); err != nil {
		return err
	}
	consumers, consumersCtx := errgroup.WithContext(ctx)
	for _, c := range consumerConfigs() {
		consumers.Go(func() error {
			if _, err := js.CreateOrUpdateConsumer(consumersCtx, c.stream, c.config); err != nil {
				return fmt.Errorf("create consumer %s: %w", c.config.Durable, err)
			}
			return nil
		})
	}
	return consumers.Wait()
}

func provisionBucket(ctx context.Context, js jetstream.JetStream, b BucketSpec) error {
	_, err := js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
		Bucket: b.Name, History: 1, MaxBytes: bucketBytes, Storage: jetstream.FileStorage,
		Description: "written by " + string(b.Writer),
	})
	if err != nil {
		return fmt.Errorf("create bucket %s: %w", b.Name, err)
	}
	return nil
}

// Streams returns the streams. None has roll-up headers or message
// schedules: each would let one speaker forge or wipe what others said.
func Streams() []jetstream.StreamConfig {
	file := jetstream.FileStorage
	return []jetstream.StreamConfig{
		{
			Name: StreamEvents, Subjects: EventSubjects(), Storage: file, AllowDirect: true,
			MaxBytes: eventBytes, MaxMsgSize: MaxPayload, Duplicates: DedupeFor,
			DenyDelete: true, DenyPurge: true,
			RePublish: &jetstream.RePublish{Source: ">", Destination: liveTopic + ".>"},
		},
		{
			Name: StreamDeadLetters, Subjects: []string{"deadletter.*"}, Storage: file, AllowDirect: true,
			MaxBytes: deadLetterBytes, MaxMsgSize: MaxPayload, Duplicates: DedupeFor,
		},
		{
			Name: StreamSealed, Subjects: []string{"sealed.>"}, Storage: file, AllowDirect: true,
			MaxBytes: sealedBytes, MaxMsgSize: MaxPayload, MaxMsgsPerSubject: 1, MaxAge: SealedFor,
		},
		{
			Name: StreamReplays, Subjects: []string{"replay.*"}, Storage: file,
			MaxBytes: replayBytes, MaxMsgSize: MaxPayload, MaxAge: 24 * time.Hour,
		},
		{
			Name: StreamAdvisories, Storage: file, MaxBytes: advisoryBytes, AllowDirect: true,
			Subjects: []string{
				"$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.>",
				"$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.>",
			},
		},
	}
}

// liveTopic is where the server says again what it has stored, for those who
// subscribe rather than consume. The server does not hand a message that came
// through a service import on to a stream import, hence this detour.
const liveTopic = "live"

type consumerConfig struct {
	stream string
	config jetstream.ConsumerConfig
}

// consumerConfigs returns one durable pull consumer per handler.
func consumerConfigs() []consumerConfig {
	var out []consumerConfig
	durable := func(stream, name, filter string) {
		out = append(out, consumerConfig{stream, jetstream.ConsumerConfig{
			Durable: name, FilterSubject: filter, AckPolicy: jetstream.AckExplicitPolicy,
			AckWait: AckWait, MaxDeliver: MaxDeliver, MaxAckPending: maxAckCount,
			DeliverPolicy: jetstream.DeliverAllPolicy,
		}})
	}
	for _, s := range Contract() {
		for _, id := range s.Listeners {
			durable(StreamEvents, Durable(id, s.Name()), s.Filter())
		}
	}
	for _, id := range Services() {
		durable(StreamReplays, replayDurable(id), "replay."+string(id))
	}
	return out
}
