#!/usr/bin/env bash
# Ranks on two hosts: network namespaces, each with a name of its own, and a cable between them on which all takes 5 ms
# (by tc's netem, or where the kernel lacks it by slow_cable.py). Training and sampling across it, a cable that is cut,
# and a disk that is full.
#
#   namespaces.sh PROGRAM
#
# Skipped, visibly, where there is no mpirun, or no right to make a namespace. It leaves out what ssh does: a script
# takes its place.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
source "$here/checks.sh"

PATH=$PATH:/usr/sbin:/sbin
hosts=("cria-$$-a" "cria-$$-b")
addresses=(10.213.77.1 10.213.77.2)

leave() {
  local host
  [ -n "$relay" ] && kill "$relay" 2>/dev/null
  umount "$work/small" 2>/dev/null
  for host in "${hosts[@]}"; do ip netns delete "$host" 2>/dev/null; done
  rm -rf "$work"
}
relay=
trap leave EXIT

if ! command -v mpirun >/dev/null; then
  skip 'there is no mpirun (./cria setup mpi)'
  finish
  exit
fi
if ! command -v ip >/dev/null; then
  skip 'there is no ip (of iproute2)'
  finish
  exit
fi
lay_cable() { ip link add "v$$a" netns "${hosts[0]}" type veth peer name "v$$b" netns "${hosts[1]}"; }
make_hosts() {  # and all else that needs the right to it
  local host
  for host in "${hosts[@]}"; do ip netns add "$host" && ip netns exec "$host" true || return; done
  lay_cable && unshare --uts true && mkdir -p small && mount -t tmpfs -o size=64k tmpfs small && umount small
}
if ! make_hosts >/dev/null 2>err; then
  skip "no two hosts can be made here: $(head -n 1 err)"
  finish
  exit
fi

# What leaves a host arrives 5 ms later: by tc, or by a process that takes the cable's place.
slow_down() {
  delay='5 ms each way, by netem'
  ip netns exec "${hosts[0]}" tc qdisc add dev "v$$a" root netem delay 5ms 2>/dev/null &&
    ip netns exec "${hosts[1]}" tc qdisc add dev "v$$b" root netem delay 5ms 2>/dev/null && return
  delay='5 ms each way, by slow_cable.py'
  if command -v python3 >/dev/null && [ -w /dev/net/tun ]; then
    ip -n "${hosts[0]}" link delete "v$$a"
    python3 "$here/slow_cable.py" "${hosts[0]}" "v$$a" "${hosts[1]}" "v$$b" 5 >ready 2>err &
    relay=$!
    while kill -0 $relay 2>/dev/null && ! [ -s ready ]; do sleep 0.02; done
    kill -0 $relay 2>/dev/null && return
    wait $relay
    relay=
    lay_cable
  fi
  delay='no delay'
  skip "nothing can be delayed here: tc has no netem, and there is no python3 or no /dev/net/tun: $(head -n 1 err)"
}
slow_down
for i in 0 1; do
  cable=v$$$([ $i = 0 ] && echo a || echo b)
  ip -n "${hosts[i]}" address add "${addresses[i]}/24" dev "$cable"
  ip -n "${hosts[i]}" link set "$cable" up
  ip -n "${hosts[i]}" link set lo up
done
echo "two hosts, $delay"

# What mpirun calls in place of ssh, with a host and a command.
cat >agent <<END
#!/usr/bin/env bash
case \$1 in
  ${addresses[0]}) host=${hosts[0]} ;;
  ${addresses[1]}) host=${hosts[1]} ;;
esac
shift
exec ip netns exec "\$host" unshare --uts sh -c "hostname \$host; cd $work; \$*"
END
chmod +x agent

on_hosts() {  # on_hosts ARGUMENT…: a rank on each
  ip netns exec "${hosts[0]}" unshare --uts sh -c "hostname ${hosts[0]}; exec \"\$@\"" sh \
    mpirun --quiet --allow-run-as-root --bind-to none --mca plm_rsh_agent "$work/agent" --mca btl tcp,self \
    --mca btl_tcp_if_include 10.213.77.0/24 --mca oob_tcp_if_include 10.213.77.0/24 \
    --mca oob_tcp_keepalive_time 2 --mca oob_tcp_keepalive_intvl 1 --mca oob_tcp_keepalive_probes 3 -x CRIA_SILENCE \
    -n 2 --host "${addresses[0]}:1,${addresses[1]}:1" "$program" "$@"
}
export CRIA_SILENCE=3

seq 1 3000 >text.txt
cat >tiny.yaml <<'END'
model: {dim: 32, hidden_dim: 48, layers: 2, heads: 4, kv_heads: 2, head_dim: 8}
data: {batch: 8, context: 64, lanes: 2, evaluations: 2, validation_tokens: 1000}
END
train=(train --data text.txt --tokenizer bytes --recipe tiny.yaml --threads 1)

on_hosts "${train[@]}" --steps 1 --out tried >out 2>&1
if grep -q 'built without MPI' out; then
  skip 'the program was built without MPI (./cria setup mpi)'
  finish
  exit
fi

# ── Across the cable ────────────────────────────────────────────────────────────────────────────────────────────────

check 'one process' "$program" "${train[@]}" --steps 20 --out one
check 'two hosts train' on_hosts "${train[@]}" --steps 20 --out two
check 'the same model' cmp one/model.safetensors two/model.safetensors

alone=(mpirun --quiet --allow-run-as-root --oversubscribe --bind-to none -n 2)
check 'one host trains, tensor' "${alone[@]}" "$program" "${train[@]}" --parallel tensor --steps 4 --out tensor-one
check 'two hosts train, tensor' on_hosts "${train[@]}" --parallel tensor --steps 4 --out tensor-two
check 'the same model, tensor' cmp tensor-one/model.safetensors tensor-two/model.safetensors

sample=(sample one -p 1000 -n 20 --temperature 0 --threads 1)
"$program" "${sample[@]}" >expected
for parallel in tensor pipeline; do
  check "two hosts sample, $parallel" on_hosts "${sample[@]}" --parallel $parallel
  cmp -s expected out
  result "the same text, $parallel" $? "$(cat out)"
done

# What is sent does not depend on the network; how long it takes does, and is only printed.
check 'two hosts measure a plan' on_hosts plan one --measure
cat out
as_predicted out
result 'each sends what was predicted, byte for byte' $? "$(cat out)"
if [ "$delay" != 'no delay' ]; then
  sed -nE 's/.* and ([0-9.]+) ms between .*/\1/p' out | awk '{found = $1 >= 5} END {exit !found}'
  result 'what is delayed is late' $? "$(head -n 1 out)"
fi

# ── A full disk, and a cut cable ────────────────────────────────────────────────────────────────────────────────────

mount -t tmpfs -o size=64k tmpfs small
began=$SECONDS
on_hosts "${train[@]}" --steps 20 --out small/run >out 2>err
code=$?
echo "a full disk on rank 0: all had ended after $((SECONDS - began)) s"
grep -am2 '^cria' err
[ $code != 0 ] && [ $((SECONDS - began)) -lt 30 ]
result 'a full disk: all end' $? "exit code $code"
[ "$(grep -c '^cria: ' err)" = 1 ] && grep -q '^cria: .*small/run.*No space left on device' err
result 'a full disk: one line says so' $? "$(tr -d '\0' <err)"

cut_in() {  # cut_in NAME ARGUMENT…: the cable is cut 2 s after the start
  local name=$1 launched began
  shift
  on_hosts "$@" >out 2>err &
  launched=$!
  sleep 2
  kill -0 $launched 2>/dev/null
  result "$name: it was at work" $? "$(tr -d '\0' <err)"
  began=$SECONDS
  ip -n "${hosts[0]}" link set "v$$a" down
  while kill -0 $launched 2>/dev/null && [ $((SECONDS - began)) -lt 30 ]; do sleep 0.1; done
  echo "$name, cable cut: all had ended after $((SECONDS - began)) s"
  grep -am2 '^cria' err
  ! kill -0 $launched 2>/dev/null
  result "$name: all end within 30 s" $? "$(tr -d '\0' <err)"
  kill $launched 2>/dev/null
  wait $launched 2>/dev/null
  grep -aqE "^cria: rank [01] \(process [0-9]+ on cria-$$-[ab]\) has not answered for 3 s" err
  result "$name: a line names the rank and its host" $? "$(tr -d '\0' <err)"
  ip -n "${hosts[0]}" link set "v$$a" up
  for host in "${hosts[@]}"; do ip -n "$host" neighbour flush all; done  # which they think is out of reach
}
cut_in 'data parallel' "${train[@]}" --minutes 1 --out cut
cut_in 'tensor parallel' sample one -p 1000 -n 100000 --threads 1 --parallel tensor
finish
