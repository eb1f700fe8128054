package config

import (
	"reflect"
	"testing"
)

func TestWithStandIns(t *testing.T) {
	s := Default()
	s.Services = []Service{
		{Name: "a", URL: "https://10.0.0.1:9443", CA: "x", Fingerprint: "y", ServerName: "z"},
		{Name: "b", Backend: &Backend{Scheme: "http", Address: "10.0.0.2", Port: 80}, Hosts: []string{"c.phoenix.localhost"}},
	}
	got := s.WithStandIns("127.0.1.200", 10001).Services
	want := []Service{
		{Name: "a", URL: "https://127.0.1.200:10001"},
		{Name: "b", URL: "http://127.0.1.200:10002", Hosts: []string{"c.phoenix.localhost"}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if s.Services[0].CA != "x" {
		t.Error("the original has changed")
	}
}

func TestWithStandInsOfDefault(t *testing.T) {
	s := Default().WithStandIns("127.0.1.200", 10001)
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	want := []Service{
		{Name: "portainer", URL: "https://127.0.1.200:10001"},
		{Name: "dr-phoenix", URL: "https://127.0.1.200:10002"},
	}
	if !reflect.DeepEqual(s.Services, want) {
		t.Errorf("got  %+v\nwant %+v", s.Services, want)
	}
}
