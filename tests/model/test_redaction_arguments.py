"""I7: no secret enters a store. What is taken out of a command line, word by word, and what is left as it is."""

import shlex

import pytest

from capsulestore.model.redaction import redact_arguments

SECRET = "Xy7Q2mWv"

SECRETS = {
    "an option and its value": ("fit --password {S}", "fit --password redacted"),
    "a harmless look": ("fit --password data.csv", "fit --password redacted"),
    "an equals sign": ("fit --password={S} --n 1", "fit --password=redacted --n 1"),
    "a value with spaces": ("fit '--password=a {S}'", "fit --password=redacted"),
    "one dash": ("fit -token {S}", "fit -token redacted"),
    "camel case": ("fit --apiKey {S}", "fit --apiKey redacted"),
    "many words": ("aws --aws-secret-access-key {S}", "aws --aws-secret-access-key redacted"),
    "a setting": ("aws configure set aws_secret_access_key {S}", "aws configure set aws_secret_access_key redacted"),
    "a variable": ("PGPASSWORD='a {S}' psql", "PGPASSWORD=redacted psql"),
    "a variable for env": ("env TOKEN={S} fit", "env TOKEN=redacted fit"),
    "a variable for docker": ("docker run -e SECRET={S} x", "docker run -e SECRET=redacted x"),
    "a variable without a space": ("docker run -eSECRET={S} x", "docker run -eSECRET=redacted x"),
    "a variable of a long option": ("fit --env=DB_PASSWORD={S}", "fit --env=DB_PASSWORD=redacted"),
    "a property of Java": ("java -Dtoken={S} x", "java -Dtoken=redacted x"),
    "a dotted key": ("fit db.password={S}", "fit db.password=redacted"),
    "a key to be added": ("fit ++trainer.token={S}", "fit ++trainer.token=redacted"),
    "options of mount": ("mount -o user=a,password={S}", "mount -o user=a,password=redacted"),
    "a header": ("curl -H 'Authorization: Bearer {S}' x", "curl -H 'Authorization: redacted' x"),
    "a header of a long option": ("wget --header='X-Api-Key: a {S}'", "wget '--header=X-Api-Key: redacted'"),
    "a header without a space": ("curl '-HCookie: a=1; s={S}'", "curl '-HCookie: redacted'"),
    "a header of git": ("git -c 'http.extraHeader=Authorization: a {S}'", None),
    "a user and password": ("curl -u bob:{S} x", "curl -u redacted x"),
    "a token as the user": ("curl -u {S}: x", "curl -u redacted x"),
    "an address as the user": ("curl -u bob@example.org:{S} x", "curl -u redacted x"),
    "a user and password without a space": ("curl -ubob:{S} x", "curl -uredacted x"),
    "a user and password of a long option": ("curl --user=bob:{S} x", "curl --user=redacted x"),
    "a url": ("psql postgresql://bob:{S}@example.org/x", "psql postgresql://example.org/x"),
    "a connection": ("psql \"host=h password='a {S}' user=u\"", None),
    "an address": ("fit bob:{S}@db/x", "fit redacted@db/x"),
    "mysql": ("mysql -p{S} db", "mysql -predacted db"),
    "mysql behind others": (
        "sudo nice /usr/bin/mysqldump -uroot -p{S}",
        "sudo nice /usr/bin/mysqldump -uroot -predacted",
    ),
    "sshpass": ("sshpass -p {S} ssh h", "sshpass -p redacted ssh h"),
    "docker login": ("docker login -u bob -p {S}", "docker login -u bob -p redacted"),
    "redis": ("redis-cli -a {S} ping", "redis-cli -a redacted ping"),
    "zip": ("zip -P {S} x.zip x", "zip -P redacted x.zip x"),
    "openssl": ("openssl rsa -passin pass:{S}", "openssl rsa -passin redacted"),
    "a key store": ("keytool -storepass {S} --keypass {S}", "keytool -storepass redacted --keypass redacted"),
    "a key of a network": ("fit --psk {S}", "fit --psk redacted"),
    "a personal access token": ("fit --pat {S}", "fit --pat redacted"),
    "a service's key": ("fit --kaggle-key {S}", "fit --kaggle-key redacted"),
    "words to remember": ("fit --mnemonic 'a b {S}'", "fit --mnemonic redacted"),
    "a dash at the beginning": ("fit --api_key -{S} x", "fit --api_key redacted x"),
    "openssl's key": ("openssl enc -aes-256-cbc -k {S}", "openssl enc -aes-256-cbc -k redacted"),
    "snowsql": ("snowsql -p {S}", "snowsql -p redacted"),
    "a user behind Python": ("python fit.py -u bob:{S}", "python fit.py -u redacted"),
    "a tracker's login": ("wandb login {S}", "wandb login redacted"),
    "JSON": ('fit \'{{"password": ["{S}"], "n": 1}}\'', 'fit \'{"password": "redacted", "n": 1}\''),
    "JSON of an option": ('fit --config=\'{{"auth": {{"v": "a {S}"}}}}\'', 'fit --config=\'{"auth": "redacted"}\''),
    "a script": ("sh -c 'export API_KEY={S}; fit'", "sh -c 'export API_KEY=redacted; fit'"),
    "an option in a script": ("bash -c 'fit --token \"a {S}\"'", "bash -c 'fit --token \"redacted\"'"),
    "mysql in a script": ("sh -c 'mysql -p{S} db'", "sh -c 'mysql -predacted db'"),
    "mysql in a script in a script": ("sh -c 'ssh h \"mysql -p{S} db\"'", None),
    "a token of a known form": ("fit ghp_" + "Xy7Q2mWv" * 5, "fit redacted"),
}


@pytest.mark.parametrize(("line", "clean"), SECRETS.values(), ids=SECRETS)
def test_i7_a_secret_is_taken_out_of_a_command_line(line, clean):
    words = shlex.split(line.format(S=SECRET))
    found, redacted = redact_arguments(words)
    assert redacted
    assert SECRET not in " ".join(found)
    assert len(found) == len(words)
    if clean is not None:
        assert found == shlex.split(clean)


@pytest.mark.parametrize(
    "line",
    [
        "fit --token --verbose data.csv",
        "fit --token",
        "fit --no-password data.csv --password-stdin --ask-pass x",
        "fit --tokenizer bert --max-tokens 512 --author Ann --auth-type basic --key id --passes 3",
        "fit --use-auth-token true --auth=none --token=null",
        "docker run -p 8080:80 -u 1000:1000 image:1.0",
        "mysql -p db",
        "rsync -a -u ann@example.org:/x y",
        "python -u fit.py -p 3 --sig 0.05",
        "/usr/bin/python3.11 -B -u x:y.py",
        "fit --pass 1 --token -v --api-key -O3",
        "fit 2024-01-01T10:00@x 2024-01-01T10:00:00+01:00@lab",
        "git clone git@example.org:ann/x.git",
        "sh -c 'python fit.py --lr 0.1 \"a b\" | tee x'",
        "",
    ],
)
def test_a_command_line_without_a_secret_stays_as_it_is(line):
    words = shlex.split(line)
    assert redact_arguments(words) == (words, False)
