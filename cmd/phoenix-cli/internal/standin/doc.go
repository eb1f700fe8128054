// Package standin serves small echo backends on one machine, in place of
// services that run elsewhere: each answers every request with what arrived, so
// that somebody who asks through gateway and proxy sees what they made of it.
//
// [Prepare] says where each will be and writes that down, [Run] serves them.
package standin
